"""A Hearth server for tests: started on a free port with a data folder of its own, stopped and looked over at the end."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

import openapi

ROOT = pathlib.Path(__file__).resolve().parent.parent


def build_dir():
    """The build under test: $HEARTH_BUILD, else the release preset's."""
    return pathlib.Path(os.environ.get("HEARTH_BUILD", ROOT / "build" / "release"))


def sanitizer():
    """"" or what the build under test is instrumented with: "address,undefined", "thread"."""
    for line in (build_dir() / "CMakeCache.txt").read_text().splitlines():
        if line.startswith("HEARTH_SANITIZE:"):
            return line.partition("=")[2]
    return ""


# A finding must end the program, and what a sanitizer holds back must not look like a leak of the server's.
SANITIZER_OPTIONS = {
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "ASAN_OPTIONS": "quarantine_size_mb=4",
    "TSAN_OPTIONS": "history_size=4",
}


class Answer:
    """One response: status, headers (lower-case names), body as bytes; `json` parses it."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Server:
    """One `hearth serve`. A context manager: on leaving it is stopped by SIGTERM and must exit with 0 in time."""

    def __init__(self, folder, settings=None, plugins=None, env=None, args=()):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.log = self.folder / "hearth.log"
        self.settings = {"server.port": "0", "data.dir": str(self.data), **(settings or {})}
        if plugins:
            self.settings["plugins.dir"] = str(plugins)
        self.settings.setdefault("plugins.conf_dir", str(self.folder / "plugins.d"))
        self.env = {**SANITIZER_OPTIONS, **os.environ, **(env or {})}
        self.args = list(args)
        self.process = None
        self.port = None

    def running(self):
        return self.process is not None and self.process.poll() is None

    def check_log(self):
        """Fails where a sanitizer has found something: also what a process that was killed has found."""
        text = self.log.read_text(errors="replace")
        for mark in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                     "WARNING: ThreadSanitizer"):
            at = text.find(mark)
            assert at < 0, text[max(0, at - 200):at + 6000]

    def command(self):
        """What starts it."""
        command = [str(build_dir() / "bin" / "hearth"), "serve", *self.args]
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        return command

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=open(self.log, "ab"), env=self.env, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://"), f"no server: {line!r}\n{self.log.read_text()[-3000:]}"
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def request(self, method, path, body=None, headers=None, timeout=60):
        """A connection each; `body` is sent as it is when bytes or str, else as JSON."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()
        openapi.check(method, path, answer)
        return answer

    @contextlib.contextmanager
    def stream(self, path, headers=None, timeout=60):
        """GET; gives the response to be read as it comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=headers or {})
            yield connection.getresponse()
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, {} if body is None else body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def session(self, timeout=180, **fields):
        """Creates a session and waits until it is idle; returns its id."""
        made = self.post("/sessions", fields)
        assert made.status == 201, made
        return self.settle(made.json["id"], timeout)

    def settle(self, session, timeout=180):
        view = self.get(f"/sessions/{session}?wait={timeout}s", timeout=timeout + 10).json
        assert view["state"] == "idle", (view, self.get(f"/sessions/{session}/log?size=60").json["log"])
        return session

    def run(self, session, code, kind=None, timeout=120):
        """Runs code and returns the final statement as Livy shows it."""
        return self.finish(session, self.submit(session, code, kind), timeout)

    def submit(self, session, code, kind=None, **more):
        """Posts code and returns the statement's number."""
        body = {"code": code, **({"kind": kind} if kind else {}), **more}
        made = self.post(f"/sessions/{session}/statements", body)
        assert made.status == 201, made
        return made.json["id"]

    def statement(self, session, number):
        """A statement as /v1 shows it."""
        return self.get(f"/v1/sessions/{session}/statements/{number}").json

    def view(self, session):
        """A session as /v1 shows it."""
        return self.get(f"/v1/sessions/{session}").json

    def finish(self, session, statement, timeout=120):
        path = f"/sessions/{session}/statements/{statement}?wait={timeout}s"
        found = self.get(path, timeout=timeout + 10).json
        assert found["state"] in ("available", "cancelled"), f"{found}\n{self.stacks()}"
        return found

    def output(self, session, code, kind=None, timeout=120):
        """Runs code that must succeed and returns its data."""
        output = self.run(session, code, kind, timeout)["output"]
        assert output["status"] == "ok", output
        return output["data"]

    def text(self, session, code, kind=None, timeout=120):
        return self.output(session, code, kind, timeout)["text/plain"]

    def until(self, what, probe, seconds=30):
        """Polls `probe` until it is true: for what has no event to wait for."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = probe()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s: {what}")

    def children(self):
        """Processes that were started by this server and still run, also those with sessions of their own."""
        marker = str(self.data)
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) in (self.process.pid, os.getpid()):
                continue
            try:
                if (entry / "cwd").resolve().as_posix().startswith(marker):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def stacks(self):
        """What the server's drivers and workers are doing: for what should have ended and has not."""
        told = []
        for pid in self.children():
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
                tool = ["jstack"] if name == "java" else ["py-spy", "dump", "--pid"]
                if name == "java" or name.startswith("python"):
                    said = subprocess.run([*tool, str(pid)], capture_output=True, text=True, timeout=30)
                    told.append(f"--- {name} {pid}\n{said.stdout}{said.stderr}")
        return "\n".join(told)

    def threads(self):
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()))

    def memory(self):
        """Resident bytes."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        return 0

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, timeout=30):
        """SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(10)
            raise AssertionError(f"no end within {timeout} s of SIGTERM\n{self.log.read_text()[-3000:]}")
        self.process.stdout.close()
        return status

    def __enter__(self):
        return self.start()

    def __exit__(self, *failure):
        if self.process.poll() is not None:
            self.check_log()
            if failure[0] is None:
                raise AssertionError(f"the server ended by itself: {self.process.returncode}\n{self.log.read_text()[-5000:]}")
            return
        status = self.stop()
        self.check_log()
        if failure[0] is None:
            assert status == 0, f"exit status {status}\n{self.log.read_text()[-5000:]}"
            left = self.children()
            assert not left, f"processes left behind: {left}"
