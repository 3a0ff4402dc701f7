"""A host that is killed and comes back on the same data folder."""

import http.client
import os
import pathlib
import signal
import threading
import time

import harness

# Where the host went down while a request was on its way: nothing is known of what became of it.
GONE = (OSError, http.client.HTTPException)
SPARK = harness.ROOT / "tests" / "contract" / "spark"
SETTINGS = {
    "session.shared_kind": "linkecho",
    "session.launch_time": "20s",
    "session.close_time": "3s",
    "session.limit": "100000",
    "cancel.grace": "20s",
    "batch.kill_grace": "500ms",
    "spark.home": str(SPARK),
    "driver.environment": "HEARTH_FAULTS,HEARTH_EFFECTS",
    "driver.orphan_time": "60s",
}


def plugins_folder():
    return harness.build_dir() / "tests" / "plugins"


class Host:
    """Keeps a server running: `nurse` brings it back when it was killed, wakes what was stopped, and
    notes an end that nobody has asked for. `generation` counts the starts."""

    def __init__(self, folder, settings=None):
        self.folder = pathlib.Path(folder)
        self.effects = self.folder / "effects"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.effects.touch()
        self.server = harness.Server(self.folder, {**SETTINGS, **(settings or {})}, plugins_folder(),
                                     env={"HEARTH_EFFECTS": str(self.effects), "HEARTH_FAULTS": ""})
        self.generation = 0
        self.next_faults = ""
        self.problems = []
        self.watch_children = False
        self.slowest_start = 0.0
        self._lock = threading.RLock()
        self._up = threading.Event()
        self._over = threading.Event()
        self._nurse = threading.Thread(target=self._watch, daemon=True)

    # ---- its life

    def start(self, faults=""):
        with self._lock:
            self._start(faults)
        if not self._nurse.is_alive():
            self._nurse.start()
        return self

    def _start(self, faults):
        for attempt in range(5):
            self.server.env["HEARTH_FAULTS"] = faults
            begun = time.monotonic()
            try:
                self._start_and_wake()
            except AssertionError as failure:
                # A fault has ended the start itself; the next one is without.
                code = self.server.process.wait(20)
                self.server.process.stdout.close()
                if code != -signal.SIGKILL or not faults:
                    self.problems.append(f"the host did not start, status {code}: {str(failure)[-1500:]}")
                    self._over.set()
                    raise
                faults = ""
                continue
            self.slowest_start = max(self.slowest_start, time.monotonic() - begun)
            self.generation += 1
            self._up.set()
            return
        raise AssertionError("the host did not start")

    def _start_and_wake(self):
        """Server.start() waits for a line, which a host that a fault has stopped does not write."""
        done = threading.Event()

        def wake():
            while not done.wait(0.05):
                if self.server.process is not None:
                    wake_if_stopped(self.server.process.pid)

        waker = threading.Thread(target=wake, daemon=True)
        waker.start()
        try:
            self.server.start()
        finally:
            done.set()
            waker.join()

    def kill(self, faults=""):
        """kill -9, and a start with these faults. Returns when it serves again."""
        with self._lock:
            self._up.clear()
            self.server.kill()
            self.server.process.stdout.close()
            self._start(faults)

    def upgrade(self):
        """SIGTERM, which leaves the sessions to the next host, and a start."""
        with self._lock:
            self._up.clear()
            if self.server.process.poll() is None:
                try:
                    status = self.server.stop()
                except AssertionError as failure:
                    status = str(failure)
                if status != 0:
                    self.problems.append(f"exit status {status} after SIGTERM")
            else:
                self.server.process.stdout.close()
            self._start("")

    def _watch(self):
        while not self._over.wait(0.02):
            with self._lock:
                if self._over.is_set():
                    return
                process = self.server.process
                code = process.poll()
                if code is not None:
                    self._up.clear()
                    process.stdout.close()
                    if code != -signal.SIGKILL:
                        tail = self.server.log.read_text(errors="replace")[-2000:]
                        self.problems.append(f"the host ended by itself: {code}\n{tail}")
                    try:
                        self._start(self.next_faults)
                    except Exception as failure:  # noted; nothing to be nursed any more
                        self.problems.append(f"no restart: {failure}")
                        return
                    continue
            wake_if_stopped(process.pid)
            if self.watch_children:
                for child in self.server.children():
                    wake_if_stopped(child)

    def wait_up(self, seconds=30):
        assert self._up.wait(seconds) and not self._over.is_set(), self.problems[:1] or "the host is away"

    def stop(self):
        """SIGTERM; tells what is wrong with its end."""
        self.wait_up()
        self._over.set()
        if self._nurse.is_alive():
            self._nurse.join()
        try:
            status = self.server.stop()
            if status != 0:
                self.problems.append(f"exit status {status} after SIGTERM")
        except AssertionError as failure:
            self.problems.append(str(failure))
        try:
            self.server.check_log()
        except AssertionError as failure:
            self.problems.append(str(failure))

    def abandon(self):
        """After a failure: ends all that is left."""
        self._over.set()
        if self._nurse.is_alive():
            self._nurse.join(60)
        process = self.server.process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait(10)
        if process is not None:
            for pid in self.server.children():
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass

    # ---- what it has done

    def log_end(self, lines=150):
        """Without requests."""
        told = self.server.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in told if " access " not in line][-lines:])

    def fired(self):
        """Lines "fault POINT ACTION" of the host and of all that it has started."""
        logs = [self.server.log, *self.server.data.glob("sessions/*/session.log"),
                *self.server.data.glob("batches/*/batch.log")]
        return [line for log in logs for line in log.read_text(errors="replace").splitlines()
                if line.startswith("fault ")]

    def request(self, method, path, body=None, headers=None, timeout=60):
        """Once. Raises one of GONE where the host went away, or was not there."""
        self.wait_up()
        answer = self.server.request(method, path, body, headers=headers, timeout=timeout)
        if answer.status == 503:  # it is going down
            raise ConnectionResetError(str(answer))
        return answer

    def ask(self, method, path, body=None, headers=None, seconds=60):
        """Until it is answered: for what can be asked twice."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.request(method, path, body, headers)
            except GONE:
                assert time.monotonic() < end, f"{method} {path} was not answered within {seconds} s"
                time.sleep(0.01)


def wake_if_stopped(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return
    if stat.rpartition(")")[2].split()[0] != "T":
        return
    time.sleep(0.15)
    try:
        os.kill(pid, signal.SIGCONT)
    except OSError:
        pass
