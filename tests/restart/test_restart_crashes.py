"""Plugins that crash the host: it comes back with everything that was not theirs, and says whose fault it was."""

import re
import shutil
import signal
import subprocess

import pytest

import harness
import restart_host as hosts

MISBEHAVING = harness.ROOT / "tests" / "contract" / "plugins" / "misbehaving.c"

pytestmark = pytest.mark.skipif(
    harness.sanitizer() != "", reason="a sanitizer takes the crash for a finding of its own")


@pytest.fixture(scope="session")
def plugins(tmp_path_factory):
    """linkecho, whose sessions outlive the host, and misbehaving."""
    folder = tmp_path_factory.mktemp("plugins")
    shutil.copytree(hosts.plugins_folder() / "linkecho", folder / "linkecho")
    compile_misbehaving(folder)
    return folder


def compile_misbehaving(folder, *flags):
    (folder / "misbehaving").mkdir(exist_ok=True)
    subprocess.run(
        ["cc", "-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *flags,
         "-I", str(harness.ROOT / "plugin-api" / "include"),
         "-o", str(folder / "misbehaving" / "misbehaving.so"), str(MISBEHAVING)], check=True)


class CrashHost:
    def __init__(self, folder, plugins, **settings):
        self.server = harness.Server(folder, {**hosts.SETTINGS, "cancel.grace": "1s", **settings}, plugins,
                                     env={"HEARTH_EFFECTS": str(folder / "effects"), "HEARTH_FAULTS": ""})

    def start(self, env=None):
        self.server.env.pop("HEARTH_WILD_CREATE", None)
        self.server.env.update(env or {})
        self.server.start()
        return self

    def provoke(self, method, path, body=None):
        """A request that may cost the host its life."""
        try:
            return self.server.request(method, path, body)
        except hosts.GONE:
            return None

    def wild(self, at, what="segv", kind="wild"):
        made = self.provoke("POST", "/sessions", {"kind": kind, "conf": {"wild.at": at, "wild.do": what}})
        return made.json["id"] if made is not None and made.status == 201 else None

    def crashed(self, signo=signal.SIGSEGV):
        assert self.server.process.wait(30) == -signo, self.log()
        self.server.process.stdout.close()

    def log(self):
        return self.server.log.read_text(errors="replace")

    def plugin(self, name="misbehaving"):
        return next(each for each in self.server.get("/v1/plugins").json["plugins"] if each["instance"] == name)

    def tool(self, *words):
        command = [str(harness.build_dir() / "bin" / "hearth"), "plugin", *words,
                   "--data", str(self.server.data), "--plugins", self.server.settings["plugins.dir"]]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def make_host(tmp_path, plugins):
    made = []

    def make(**settings):
        host = CrashHost(tmp_path / f"host{len(made)}", settings.pop("plugins_dir", plugins), **settings)
        made.append(host)
        return host

    yield make
    for host in made:
        if host.server.running():
            host.server.stop()
        for pid in host.server.children():
            subprocess.run(["kill", "-9", str(pid)], check=False)


def settled(server, session):
    return server.get(f"/v1/sessions/{session}?wait=30s", timeout=40).json


def provoke_at(host, slot):
    """Crashes the host at a slot; returns the session's number where a client was told one."""
    server = host.server
    wild = host.wild("execute" if slot == "thread" else slot) if slot != "thread" else host.wild("never")
    if slot in ("open", "launch", "on_timer", "on_proc_line", "on_proc_exit"):
        return wild
    server.settle(wild)
    if slot == "interrupt":
        number = server.submit(wild, "hang")
        server.until("it runs", lambda: server.statement(wild, number)["state"] == "running")
        host.provoke("POST", f"/sessions/{wild}/statements/{number}/cancel")
    elif slot in ("close", "release"):
        host.provoke("DELETE", f"/sessions/{wild}")
    else:
        host.provoke("POST", f"/sessions/{wild}/statements", {"code": "thread" if slot == "thread" else "x"})
    return wild


SLOTS = ("open", "launch", "execute", "interrupt", "close", "release", "on_timer", "on_proc_line", "on_proc_exit",
         "thread")


@pytest.mark.parametrize("slot", SLOTS)
def test_a_plugin_that_crashes_the_host_is_named_and_other_sessions_go_on(make_host, slot):
    host = make_host().start()
    server = host.server
    good = server.session(kind="linkecho")
    assert server.text(good, "count") == "1"
    wild = provoke_at(host, slot)
    host.crashed()
    assert "misbehaving.so+0x" in host.log()

    host.start()
    assert settled(server, good)["state"] == "idle"
    assert server.text(good, "count") == "2"
    where = "on a thread of its own" if slot == "thread" else slot
    told = re.search(r"the last run ended by (SIGSEGV in plugin misbehaving 1\.0\.0 .*)", host.log())
    assert told and where in told[1], host.log()[-3000:]
    crash = host.plugin()["lastCrash"]
    assert (crash["signal"], crash["slot"]) == ("SIGSEGV", None if slot == "thread" else slot)
    assert host.plugin()["state"] == "loaded"
    assert "SIGSEGV in plugin misbehaving" in host.tool("list").stdout
    if wild is not None and slot != "release":
        view = settled(server, wild)
        assert view["state"] == "dead"
        assert "SIGSEGV in plugin misbehaving 1.0.0" in view["reason"], view
        for statement in server.get(f"/v1/sessions/{wild}/statements").json["statements"]:
            assert "SIGSEGV in plugin misbehaving" in str(statement), statement
    assert server.stop() == 0


@pytest.mark.parametrize("what, signo", [("abort", signal.SIGABRT), ("fpe", signal.SIGFPE),
                                         ("call", signal.SIGSEGV), ("deep", signal.SIGSEGV)])
def test_each_way_to_crash_ends_the_host_by_its_own_signal_and_is_told(make_host, what, signo):
    host = make_host().start()
    host.wild("launch", what)
    host.crashed(signo)
    host.start()
    crash = host.plugin()["lastCrash"]
    assert (crash["signal"], crash["slot"]) == (signo.name, "launch")
    assert host.server.stop() == 0


def test_the_note_leads_to_the_line_that_crashed(make_host, plugins):
    host = make_host().start()
    wild = host.server.session(kind="wild", conf={"wild.at": "never", "wild.do": "segv"})
    host.provoke("POST", f"/sessions/{wild}/statements", {"code": "thread"})
    host.crashed()
    host.start()
    note = open(host.plugin()["lastCrash"]["note"]).read()
    library, offset = re.search(r"frame (\S*misbehaving\.so)\+(0x[0-9a-f]+)", note).groups()
    line = subprocess.run(["addr2line", "-f", "-e", library, offset], capture_output=True, text=True, check=True)
    assert "misbehave" in line.stdout and "misbehaving.c" in line.stdout, (line.stdout, note)
    assert host.server.stop() == 0


def test_a_plugin_that_crashes_again_and_again_is_left_out_until_it_is_released(make_host, tmp_path, plugins):
    folder = tmp_path / "plugins"
    shutil.copytree(plugins, folder)
    host = make_host(plugins_dir=folder).start()
    server = host.server
    good = server.session(kind="linkecho")
    left = server.session(kind="wildkept")
    for _ in range(3):
        assert host.plugin()["state"] == "loaded"
        host.wild("launch")
        host.crashed()
        host.start()
    plugin = host.plugin()
    assert (plugin["state"], plugin["quarantined"]) == ("refused", True)
    assert "3 times" in plugin["reason"] and "hearth plugin release misbehaving" in plugin["reason"]
    assert "in quarantine" in host.tool("list").stdout
    assert server.text(good, "count") == "1"
    view = settled(server, left)
    assert view["state"] == "dead" and "quarantine" in view["reason"], view
    refused = server.post("/sessions", {"kind": "wild"})
    assert refused.status == 400 and "quarantine" in refused.body.decode(), refused
    assert server.stop() == 0

    assert host.tool("release", "misbehaving").returncode == 0
    assert host.tool("release", "misbehaving").returncode == 1
    host.start()
    assert host.plugin()["state"] == "loaded"
    assert server.stop() == 0


def test_a_new_file_leaves_the_quarantine_of_the_old_one(make_host, tmp_path, plugins):
    folder = tmp_path / "plugins"
    shutil.copytree(plugins, folder)
    host = make_host(plugins_dir=folder, **{"plugins.crash_limit": "1"}).start()
    host.wild("launch")
    host.crashed()
    host.start()
    assert host.plugin()["quarantined"]
    assert host.server.stop() == 0
    compile_misbehaving(folder, "-DREPAIRED")
    host.start()
    assert host.plugin()["state"] == "loaded"
    assert host.server.stop() == 0


def test_a_plugin_that_crashes_at_the_start_does_not_keep_the_host_down(make_host):
    host = make_host().start()
    good = host.server.session(kind="linkecho")
    host.server.kill()
    host.server.process.stdout.close()
    with pytest.raises(AssertionError):
        host.start({"HEARTH_WILD_CREATE": "segv"})
    host.crashed()
    host.server.start()  # it would crash again
    assert host.plugin()["quarantined"] and host.plugin()["lastCrash"]["slot"] == "create"
    assert settled(host.server, good)["state"] == "idle"
    assert host.server.stop() == 0


def test_a_plugin_that_crashes_when_it_takes_up_a_session_does_not_keep_the_host_down(make_host):
    host = make_host().start()
    server = host.server
    good = server.session(kind="linkecho")
    kept = server.session(kind="wildkept", conf={"wild.at": "takeup", "wild.do": "segv"})
    server.kill()
    server.process.stdout.close()
    try:
        host.start()
    except AssertionError:
        pass
    host.crashed()
    host.start()
    assert host.plugin()["quarantined"]
    view = settled(server, kept)
    assert view["state"] == "dead" and "quarantine" in view["reason"], view
    assert settled(server, good)["state"] == "idle"
    assert server.stop() == 0


def test_a_session_that_outlives_its_crash_tells_it_of_the_statement_that_ran(make_host):
    host = make_host().start()
    server = host.server
    kept = server.session(kind="wildkept", conf={"wild.at": "never", "wild.do": "segv"})
    host.provoke("POST", f"/sessions/{kept}/statements", {"code": "now"})
    host.crashed()
    host.start()
    assert settled(server, kept)["state"] == "idle"
    statement = server.finish(kept, 0)
    assert statement["output"]["status"] == "error"
    assert "SIGSEGV in plugin misbehaving" in statement["output"]["evalue"], statement
    # Another one, and it is not taken up any more.
    host.provoke("POST", f"/sessions/{kept}/statements", {"code": "now"})
    host.crashed()
    host.start()
    view = settled(server, kept)
    assert view["state"] == "dead" and "has crashed the host 2 times" in view["reason"], view
    assert host.plugin()["state"] == "loaded"
    assert server.stop() == 0
