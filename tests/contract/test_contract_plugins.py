"""Plugins that come, change and go while the server runs, as users and operators meet it: nobody restarts anything."""

import json
import os
import shutil
import signal
import subprocess

import pytest

import harness

SOURCE = harness.ROOT / "tests" / "contract" / "plugins" / "versioned.c"


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """build(version, id, kinds) gives a library, each of them once, all under one SONAME."""
    folder = tmp_path_factory.mktemp("versioned")

    def make(version="1.0", name="versioned", kinds=("versioned",)):
        library = folder / f"{name}-{version}-{'-'.join(kinds)}.so"
        if not library.exists():
            quoted = json.dumps(list(kinds)).replace('"', '\\"')
            subprocess.run(
                ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-Wl,-soname,versioned.so",
                 f'-DVERSION="{version}"', f'-DID="{name}"', f'-DKINDS="{quoted}"',
                 "-I", str(harness.ROOT / "plugin-api" / "include"), "-o", str(library), str(SOURCE)], check=True)
        return library

    return make


class Deployment:
    """A server and its two folders."""

    def __init__(self, folder, plugins, make_server, settings=None):
        self.plugins = folder / "plugins"
        shutil.copytree(plugins, self.plugins)
        self.manifests = folder / "plugins.d"
        self.manifests.mkdir()
        self.server = make_server({"plugins.conf_dir": str(self.manifests), **(settings or {})},
                                  plugins_dir=self.plugins)

    def put(self, library, name="versioned.so"):
        """By a rename, as an installation does it."""
        hidden = self.plugins / f".{os.path.basename(name)}.new"
        shutil.copy(library, hidden)
        os.rename(hidden, self.plugins / name)

    def manifest(self, stem, **members):
        hidden = self.manifests / f".{stem}"
        hidden.write_text(json.dumps({"manifest_version": 1, **members}))
        os.rename(hidden, self.manifests / f"{stem}.json")

    def entries(self):
        return [one for one in self.server.get("/v1/plugins").json["plugins"] if one["id"] not in ("echo", "echoc")]

    def states(self):
        return sorted((one["instance"], one["version"] or "", one["state"]) for one in self.entries())

    def until(self, *states):
        """Waits for exactly these; returns the entries."""
        self.server.until(states, lambda: self.states() == sorted(states))
        return self.entries()

    def refused(self, kind="versioned", status=422):
        answer = self.server.post("/v1/sessions", {"kind": kind})
        assert answer.status == status, answer
        return answer.json["detail"]


@pytest.fixture
def deploy(tmp_path, plugins, make_server):
    """deploy(settings) gives a deployment whose server runs."""
    def make(settings=None):
        made = Deployment(tmp_path / "deployment", plugins, make_server, settings)
        made.server.start()
        return made

    return make


@pytest.fixture
def deployed(deploy):
    return deploy()


def loaded(version="1.0", name="versioned"):
    return (name, version, "loaded")


def test_a_plugin_that_is_put_into_the_folder_serves_without_a_restart(deployed, build):
    server = deployed.server
    assert "Invalid kind: versioned" in deployed.refused()
    deployed.put(build())
    (entry,) = deployed.until(loaded())
    assert entry["loadedAt"] and entry["sha256"] and entry["sessions"] == 0
    session = server.session(kind="versioned")
    assert server.text(session, "x") == "1.0"
    assert deployed.entries()[0]["sessions"] == 1
    assert server.view(session)["plugin"] == "versioned 1.0"
    assert "plugin versioned 1.0 loaded from" in server.log.read_text()


def test_a_folder_that_is_moved_in_whole_or_filled_in_place_serves(deployed, build, tmp_path):
    outside = deployed.plugins.parent / "moved"
    outside.mkdir()
    shutil.copy(build("1.0", "moved", ("moved",)), outside / "moved.so")
    os.rename(outside, deployed.plugins / "moved")
    deployed.until(loaded(name="moved"))
    (deployed.plugins / "made").mkdir()
    shutil.copy(build("1.0", "made", ("made",)), deployed.plugins / "made" / "made.so")
    deployed.until(loaded(name="made"), loaded(name="moved"))
    assert deployed.server.text(deployed.server.session(kind="made"), "x") == "1.0"


def test_folders_that_are_made_after_the_start_are_looked_at(tmp_path, plugins, make_server, build):
    later = tmp_path / "not" / "yet"
    server = make_server({"plugins.conf_dir": str(later / "plugins.d")}, plugins_dir=later / "plugins").start()
    assert server.get("/v1/plugins").json["plugins"] == []
    (later / "plugins").mkdir(parents=True)
    shutil.copy(build(), later / "plugins" / "x.so")
    server.until("loaded", lambda: [one["state"] for one in server.get("/v1/plugins").json["plugins"]] == ["loaded"])
    (later / "plugins.d").mkdir()
    (later / "plugins.d" / "x.json").write_text('{"manifest_version": 1, "enabled": false}')
    server.until("disabled", lambda: [one["state"] for one in server.get("/v1/plugins").json["plugins"]] == ["disabled"])


def test_a_file_that_is_written_slowly_is_not_taken_before_it_is_closed(deployed, build):
    code = build().read_bytes()
    with open(deployed.plugins / "versioned.so", "wb") as slow:
        slow.write(code[:5000])
        slow.flush()
        # Something else that is looked at now: what is half there is not.
        deployed.put(build("1.0", "other", ("other",)), "other.so")
        deployed.until(loaded(name="other"))
        slow.write(code[5000:])
        slow.flush()
        deployed.put(build("2.0", "other", ("other",)), "other.so")
        deployed.until(loaded("2.0", "other"))
    deployed.until(loaded(), loaded("2.0", "other"))
    assert "versioned.so refused" not in deployed.server.log.read_text()


def test_a_file_that_is_rewritten_while_others_load_is_not_taken_before_it_is_closed(deployed, build, tmp_path):
    server = deployed.server
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    deployed.manifest("first", name="first", config={"gate": str(gate), "trace": str(trace)})
    outside = deployed.plugins.parent / "moved"
    outside.mkdir()
    shutil.copy(build("1.0", "first", ("first",)), outside / "first.so")
    shutil.copy(build(), outside / "versioned.so")
    os.rename(outside, deployed.plugins / "moved")
    server.until("create", trace.exists)  # both were there to be found, and the second has its turn later
    code = build("2.0").read_bytes()
    with open(deployed.plugins / "moved" / "versioned.so", "wb") as slow:
        slow.write(code[:5000])
        slow.flush()
        gate.touch()
        deployed.until(loaded(name="first"))
        slow.write(code[5000:])
    deployed.until(loaded(name="first"), loaded("2.0"))
    assert "versioned.so refused" not in server.log.read_text()


def test_a_newer_version_serves_new_sessions_and_the_old_ones_end_on_the_old(deployed, build, tmp_path):
    server = deployed.server
    trace = tmp_path / "trace"
    deployed.manifest("versioned", config={"trace": str(trace)})
    deployed.put(build())
    deployed.until(loaded())
    old = server.session(kind="versioned")
    other = server.session(kind="versioned")
    deployed.put(build("2.0"))
    entries = deployed.until(loaded("2.0"), ("versioned", "1.0", "retiring"))
    retiring = next(one for one in entries if one["state"] == "retiring")
    assert retiring["sessions"] == 2 and "replaced by version 2.0" in retiring["reason"]
    new = server.session(kind="versioned")
    assert [server.text(one, "x") for one in (old, new, old, other)] == ["1.0", "2.0", "1.0", "1.0"]

    server.delete(f"/sessions/{old}")
    assert server.text(other, "x") == "1.0"
    assert "destroy" not in trace.read_text()
    server.delete(f"/sessions/{other}")
    deployed.until(loaded("2.0"))
    server.until("destroyed", lambda: trace.read_text() == "create 1.0\ncreate 2.0\ndestroy 1.0\n")
    assert server.text(new, "x") == "2.0"


def test_many_versions_one_after_the_other_are_each_the_one_that_was_put_there(deployed, build):
    for number in range(1, 12):
        deployed.put(build(f"{number}.0"))
        deployed.until(loaded(f"{number}.0"))
        session = deployed.server.session(kind="versioned")
        assert deployed.server.text(session, "x") == f"{number}.0"
        deployed.server.delete(f"/sessions/{session}")


def test_a_plugin_that_is_disabled_or_removed_takes_no_new_sessions_and_lets_the_old_ones_go_on(deployed, build):
    server = deployed.server
    deployed.put(build(kinds=("versioned", "second")))
    deployed.until(loaded())
    old = server.session(kind="versioned")
    echo = server.session(kind="echo")
    deployed.manifest("versioned", enabled=False)
    deployed.until(("versioned", "", "disabled"), ("versioned", "1.0", "retiring"))
    assert f"disabled by {deployed.manifests}/versioned.json" in deployed.refused()
    assert server.text(old, "x") == "1.0"
    assert server.text(old, "x", kind="second") == "1.0"  # the plugin is in the session already
    answer = server.post(f"/v1/sessions/{echo}/statements", {"code": "x", "kind": "versioned"})
    assert answer.status == 422 and "disabled by" in answer.json["detail"]
    server.delete(f"/sessions/{old}")
    deployed.until(("versioned", "", "disabled"))

    (deployed.manifests / "versioned.json").unlink()
    deployed.until(loaded())
    old = server.session(kind="versioned")
    (deployed.plugins / "versioned.so").unlink()
    deployed.until(("versioned", "1.0", "retiring"))
    assert "versioned.so was removed" in deployed.refused()
    assert server.text(old, "x") == "1.0"


def test_a_bad_file_or_manifest_leaves_the_plugin_that_serves_and_says_why_it_is_refused(deployed, build):
    server = deployed.server
    deployed.put(build())
    deployed.until(loaded())

    def refusal(*also):
        entries = deployed.until(("versioned", "", "refused"), loaded(), *also)
        assert server.text(server.session(kind="versioned"), "x") == "1.0"
        reason = next(one["reason"] for one in entries if one["state"] == "refused")
        assert reason in server.log.read_text()
        return reason

    junk = deployed.plugins.parent / "junk"
    junk.write_text("no library")
    deployed.put(junk)
    assert "the loader refuses it" in refusal()
    deployed.put(build())
    deployed.until(loaded())
    os.chmod(deployed.plugins / "versioned.so", 0o666)
    assert "can be written by others" in refusal()
    os.chmod(deployed.plugins / "versioned.so", 0o644)
    deployed.until(loaded())
    deployed.manifest("versioned", sha256="0" * 64)
    server.until("refused", lambda: any("SHA-256" in (one["reason"] or "") for one in deployed.entries()))
    assert server.text(server.session(kind="versioned"), "x") == "1.0"
    deployed.manifest("versioned", enabeld=True)
    server.until("refused", lambda: any('did you mean "enabled"' in (one["reason"] or "") for one in deployed.entries()))
    assert server.text(server.session(kind="versioned"), "x") == "1.0"


def test_what_failed_for_a_reason_outside_the_folders_is_tried_again_on_sighup(deployed, build, tmp_path):
    server = deployed.server
    trace, fail = tmp_path / "trace", tmp_path / "fail"
    fail.touch()
    deployed.manifest("versioned", config={"trace": str(trace), "fail": str(fail)})
    deployed.put(build())
    (entry,) = deployed.until(("versioned", "1.0", "refused"))
    assert entry["reason"] == "create failed: asked to fail"
    assert "asked to fail" in deployed.refused()
    fail.unlink()
    server.process.send_signal(signal.SIGHUP)
    deployed.until(loaded())
    assert trace.read_text() == "create 1.0\n" * 2


def test_a_plugin_that_takes_its_time_to_be_created_keeps_nobody_waiting(deployed, build, tmp_path):
    server = deployed.server
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    session = server.session(kind="echo")
    deployed.manifest("versioned", config={"gate": str(gate), "trace": str(trace)})
    deployed.put(build())
    server.until("create", trace.exists)
    for number in range(20):
        assert server.text(session, f"{number}") == f"{number}"
    assert server.get("/v1/plugins").status == 200
    assert server.text(server.session(kind="echoc"), "x") == "x"
    assert loaded() not in deployed.states()
    gate.touch()
    deployed.until(loaded())


HASTY = {"plugins.call_limit": "200ms"}


@pytest.fixture
def hasty(deploy):
    return deploy(HASTY)


def overdue(version="1.0", name="versioned"):
    return (name, version, "refused")


def test_a_plugin_that_does_not_come_back_from_create_holds_no_other_up_and_serves_once_it_does(hasty, build, tmp_path):
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    hasty.manifest("versioned", config={"gate": str(gate), "trace": str(trace)})
    hasty.put(build())
    (entry,) = hasty.until(overdue())
    assert entry["reason"] == "create does not return: it is served as soon as it has"
    assert entry["reason"] in hasty.refused()
    hasty.put(build("1.0", "other", ("other",)), "other.so")
    hasty.until(overdue(), loaded(name="other"))
    hasty.server.process.send_signal(signal.SIGHUP)  # tries again what has failed, but not twice at once
    hasty.manifest("another", library="other.so", kinds={"other": "another"})
    hasty.until(overdue(), loaded(name="another"))
    gate.touch()
    hasty.until(loaded(), loaded(name="another"))
    assert hasty.server.text(hasty.server.session(kind="versioned"), "x") == "1.0"
    assert trace.read_text() == "create 1.0\n"


def test_a_host_starts_though_a_plugin_does_not_come_back_from_create(hasty, build, tmp_path):
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    session = hasty.server.session(kind="echo")
    hasty.manifest("versioned", config={"gate": str(gate), "trace": str(trace)})
    hasty.put(build())
    hasty.until(overdue())
    hasty.server.kill()
    hasty.server.start()
    hasty.until(overdue())
    assert hasty.server.text(hasty.server.session(kind="echo"), "x") == "x"
    assert hasty.server.get(f"/sessions/{session}").status == 200
    gate.touch()
    hasty.until(loaded())


def test_a_plugin_that_is_removed_while_it_is_created_is_destroyed_when_it_comes_back(hasty, build, tmp_path):
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    hasty.manifest("versioned", config={"gate": str(gate), "trace": str(trace)})
    hasty.put(build())
    hasty.until(overdue())
    os.unlink(hasty.plugins / "versioned.so")
    hasty.until(("versioned", "", "refused"))
    gate.touch()
    hasty.server.until("destroyed", lambda: trace.read_text() == "create 1.0\ndestroy 1.0\n")


def test_a_plugin_that_does_not_come_back_from_destroy_holds_no_other_up(hasty, build, tmp_path):
    hold, trace = tmp_path / "hold", tmp_path / "trace"
    hasty.manifest("versioned", config={"hold": str(hold), "trace": str(trace)})
    hasty.put(build())
    hasty.until(loaded())
    hasty.put(build("2.0"))
    hasty.until(loaded("2.0"))
    hasty.put(build("1.0", "other", ("other",)), "other.so")
    hasty.until(loaded("2.0"), loaded(name="other"))
    assert "plugin versioned 1.0" in hasty.server.log.read_text()
    assert "does not return from destroy" in hasty.server.log.read_text()
    hold.touch()
    hasty.server.until("destroyed", lambda: "destroy 1.0\n" in trace.read_text())


@pytest.mark.parametrize("waited_for", [True, False], ids=["waited for", "left behind"])
def test_a_plugin_that_never_comes_back_from_create_does_not_keep_the_server_from_ending(
        deploy, build, tmp_path, waited_for):
    deployed = deploy(None if waited_for else HASTY)
    server = deployed.server
    trace = tmp_path / "trace"
    deployed.manifest("versioned", config={"gate": str(tmp_path / "never"), "trace": str(trace)})
    deployed.put(build())
    server.until("create", trace.exists)
    if not waited_for:
        deployed.until(overdue())
    assert server.stop() == 0
    assert "does not come back" in server.log.read_text()


def test_sessions_come_and_go_while_versions_change_under_them(deployed, build):
    server = deployed.server
    deployed.put(build())
    deployed.until(loaded())
    kept = server.session(kind="versioned")
    for number in range(2, 22):
        deployed.put(build(f"{number % 5 + 1}.0"))
        session = server.session(kind="versioned")
        assert server.text(session, "x").endswith(".0")
        server.get("/v1/plugins")
        server.delete(f"/sessions/{session}")
    assert server.text(kept, "x") == "1.0"


def test_two_of_a_kind_are_side_by_side_with_defaults_and_limits_of_their_own(deployed, build):
    server = deployed.server
    deployed.put(build())
    deployed.manifest("first", name="versioned", limits={"sessions": 2, "sessions_per_user": 1},
                      defaults={"driverMemory": "2g", "ttl": "2h",
                                "conf": {"spark.a": "1", "spark.hadoop.x.secret.key": "not to be told"}})
    deployed.manifest("second", name="versioned", kinds={"versioned": "other"})
    entries = {one["instance"]: one for one in deployed.until(loaded(name="first"), loaded(name="second"))}
    assert entries["second"]["kinds"] == ["other"] and entries["second"]["limits"] is None
    assert entries["first"]["limits"] == {"sessions": 2, "sessions_per_user": 1}
    assert entries["first"]["defaults"]["conf"]["spark.a"] == "1"
    assert "not to be told" not in json.dumps(entries)

    made = server.post("/v1/sessions", {"kind": "versioned", "conf": {"spark.a": "mine"}}).json
    assert made["driverMemory"] == "2g" and made["ttl"] == "2h" and made["conf"]["spark.a"] == "mine"
    other = server.post("/v1/sessions", {"kind": "other"}).json
    assert other["driverMemory"] is None and "spark.a" not in other["conf"]

    again = server.post("/v1/sessions", {"kind": "versioned"})
    assert again.status == 429 and "limits.sessions_per_user of plugin first" in again.json["detail"]
    # Nor by the back door: a statement of that kind in a session of another.
    answer = server.post(f"/v1/sessions/{other['id']}/statements", {"code": "x", "kind": "versioned"})
    assert answer.status == 429 and "you have 1 sessions of at most 1" in answer.json["detail"]
    server.delete(f"/sessions/{made['id']}")
    assert server.text(server.session(kind="versioned"), "x") == "1.0"


def test_a_session_whose_plugin_is_another_after_a_restart_says_so(deployed, build):
    server = deployed.server
    server.settings["session.on_shutdown"] = "detach"
    assert server.stop() == 0
    server.start()
    for name in ("gone", "changed", "newer"):
        deployed.put(build("1.0", name, (name,)), f"{name}.so")
    deployed.until(*(loaded(name=name) for name in ("gone", "changed", "newer")))
    sessions = {name: server.session(kind=name) for name in ("gone", "changed", "newer")}
    assert server.stop() == 0
    deployed.manifest("gone", enabled=False)
    deployed.put(build("1.0", "another", ("changed",)), "changed.so")
    deployed.put(build("2.0", "newer", ("newer",)), "newer.so")
    server.start()
    server.until("over", lambda: server.view(sessions["changed"])["state"] == "dead")
    gone = server.view(sessions["gone"])["reason"]
    assert "no plugin serves the kind gone any more" in gone and "disabled by" in gone
    assert "was started by plugin gone 1.0" in gone
    changed = server.view(sessions["changed"])["reason"]
    assert "is served by plugin another now" in changed and "was started by plugin changed 1.0" in changed
    server.settle(sessions["newer"])
    assert server.text(sessions["newer"], "x") == "2.0"
    log = "\n".join(server.get(f"/sessions/{sessions['newer']}/log?size=100").json["log"])
    assert "started by newer 1.0, is taken up by newer 2.0" in log
