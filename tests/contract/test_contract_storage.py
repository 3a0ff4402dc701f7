"""What clients see of a disk that fills up: a clear 507, nothing lost, and all as before once there is space again."""

import os
import pathlib
import subprocess

import pytest

import harness
from conftest import SETTINGS

MOUNT = 'mount -t tmpfs -o size=8m,mode=700 none "$1" && shift && exec "$@"'
OWN_NAMESPACE = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"]


class SmallDisk(harness.Server):
    """A server whose data folder is a real disk of 8 MB, which only it sees and which goes with it."""

    prefix = ()

    def command(self):
        return [*self.prefix, *super().command()]

    def inside(self):
        """The data folder as the server sees it."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{self.data}")

    def fill(self, leave=0):
        """Takes all space but `leave` bytes."""
        with open(self.inside() / "filler", "ab", buffering=0) as filler:
            space = os.statvfs(self.inside())
            size = space.f_bavail * space.f_frsize - leave
            while size > 0:
                try:
                    size -= filler.write(b"x" * min(size, 65536))
                except OSError:
                    break

    def free(self):
        (self.inside() / "filler").unlink()


@pytest.fixture
def small(plugins, tmp_path):
    """small(settings...) gives a server on a small disk, not started."""
    data = tmp_path / "server" / "data"
    data.mkdir(parents=True)
    probe = subprocess.run([*OWN_NAMESPACE, str(data), "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"this user may not mount a disk: {probe.stderr}")

    def make(settings=None):
        server = SmallDisk(tmp_path / "server", {**SETTINGS, **(settings or {})}, plugins)
        server.prefix = [*OWN_NAMESPACE, str(data)]
        return server

    return make


def refused(answer, path, *words):
    """507 in the form of the face, with these words."""
    assert answer.status == 507, answer
    text = answer.json["detail"] if path.startswith("/v1/") else answer.json["msg"]
    for word in words:
        assert word in text, text
    return True


@pytest.mark.parametrize("face", ["/sessions", "/v1/sessions"])
def test_a_full_disk_is_a_507_that_says_so_and_passes_with_it(small, face):
    with small({"store.disk_floor": "0"}) as server:
        made = server.session(kind="echo")
        server.fill()
        for _ in range(3):
            answers = [server.post(f"{face}/{made}/statements", {"code": "y" * 100_000}) for _ in range(80)]
            assert refused(answers[-1], face, "hearth.db", "space")
        assert server.get(f"{face}/{made}").status == 200  # reads go on
        server.free()
        assert server.text(made, "later") == "later"
        assert server.text(server.session(kind="echo"), "new") == "new"


def test_a_result_that_comes_while_the_disk_is_full_is_kept_and_stored_later(small):
    with small({"store.disk_floor": "0"}) as server:
        made = server.session(kind="echo")
        running = server.post(f"/sessions/{made}/statements", {"code": "hang"}).json["id"]
        server.until("runs", lambda: server.get(f"/sessions/{made}/statements/{running}").json["state"] == "running")
        server.fill()
        for _ in range(80):
            last = server.post(f"/sessions/{made}/statements", {"code": "y" * 100_000})
        assert refused(last, "/sessions", "space")
        server.post(f"/sessions/{made}/statements/{running}/cancel")
        assert server.finish(made, running)["state"] == "cancelled"
        server.request("POST", f"/sessions/{made}/stop")
        server.free()
        # Of the store alone: the session is not live any more.
        ended = server.until("the end is stored", lambda: (
            view := server.get(f"/v1/sessions/{made}").json)["state"] in ("dead", "killed") and view)
        assert ended["id"] == made
        server.until("the result is stored", lambda: server.get(
            f"/sessions/{made}/statements/{running}").json["state"] == "cancelled")


@pytest.mark.parametrize("face", ["/sessions", "/v1/sessions"])
def test_below_the_floor_nothing_new_is_taken_what_runs_goes_on_and_it_passes_by_itself(small, face):
    with small({"store.disk_floor": "4m"}) as server:
        made = server.session(kind="echo")
        running = server.post(f"{face}/{made}/statements", {"code": "hang"}).json["id"]
        server.until("runs", lambda: server.get(f"{face}/{made}/statements/{running}").json["state"] == "running")
        kept = server.post("/sessions", {"kind": "echo"}, headers={"Idempotency-Key": "k"})
        server.fill(leave=2 << 20)
        words = (str(server.data), "MiB left", "store.disk_floor is 4.0 MiB")
        statements = f"{face}/{made}/statements"
        server.until("the floor is seen", lambda: server.post(statements, {"code": "1"}).status == 507)
        assert refused(server.post(statements, {"code": "1"}), face, *words)
        assert refused(server.post(face, {"kind": "echo"}), face, *words)
        batches = face.replace("sessions", "batches")
        assert refused(server.post(batches, {"file": "/tmp/a.py"}), face, *words)
        # What was made before is told again, what runs ends and is stored, and all can be ended.
        again = server.post("/sessions", {"kind": "echo"}, headers={"Idempotency-Key": "k"})
        assert again.json["id"] == kept.json["id"]
        server.post(f"{face}/{made}/statements/{running}/cancel")
        assert server.finish(made, running)["state"] == "cancelled"
        assert server.delete(f"/sessions/{kept.json['id']}").status == 200
        server.free()
        server.until("new work is taken", lambda: server.post(statements, {"code": "1"}).status == 201)
        assert server.session(kind="echo") > made
        log = server.log.read_text()
        assert log.count("new work is refused") == 1 and log.count("has space again") == 1
