"""The command line and the configuration: what is wrong is named, with the way out."""

import json
import os
import shutil
import socket
import subprocess

import pytest

import harness


def hearth(*arguments, env=None, timeout=60):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HEARTH_")}
    return subprocess.run([str(harness.build_dir() / "bin" / "hearth"), *arguments], capture_output=True, text=True,
                          timeout=timeout, env={**clean, **(env or {})})


def refused(ended, status, *words):
    assert ended.returncode == status, ended
    assert ended.stdout == ""
    told = [line for line in ended.stderr.splitlines() if line.startswith("hearth: ")]
    assert len(told) == 1 and "terminate called" not in ended.stderr
    for word in words:
        assert word in ended.stderr, ended.stderr


def settings_of(ended):
    """{key: (value, origin)} from what `hearth config` prints."""
    assert ended.returncode == 0, ended
    found, origin = {}, None
    for line in ended.stdout.splitlines():
        if line.startswith("# from: "):
            origin = line[8:]
        elif " = " in line and not line.startswith("#"):
            key, value = line.split(" = ", 1)
            found[key] = (value, origin)
    return found


# ---- Commands -------------------------------------------------------------------------------------

@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_shows_the_commands(word):
    ended = hearth(word)
    assert ended.returncode == 0 and ended.stderr == ""
    for command in ("hearth serve", "hearth config", "hearth plugin list", "--version"):
        assert command in ended.stdout


def test_version_is_one_line():
    ended = hearth("--version")
    assert ended.returncode == 0 and ended.stdout.startswith("hearth ") and ended.stdout.count("\n") == 1


@pytest.mark.parametrize("arguments, word", [
    ((), "a command is needed"), (("serv",), "serv"), (("serve", "now"), "now"), (("plugin",), "plugin"),
    (("plugin", "lst"), "lst"), (("config", "x"), "x"), (("serve", "--nope"), "nope"),
    (("serve", "--set", "server.port"), "KEY=VALUE"), (("serve", "--set"), "set"), (("serve", "-p"), "port")])
def test_a_wrong_command_line_is_told_with_status_2(arguments, word):
    refused(hearth(*arguments), 2, word)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("config",), ("plugin", "list", "--json")])
def test_output_that_nobody_reads_is_no_crash(arguments):
    process = subprocess.Popen([str(harness.build_dir() / "bin" / "hearth"), *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.close()
    assert b"Sanitizer" not in process.stderr.read()
    process.stderr.close()
    process.wait(30)


# ---- Settings ---------------------------------------------------------------------------------------

def test_an_unknown_key_names_the_nearest_one():
    refused(hearth("serve", "--set", "server.prot=1"), 2, "command line", "'server.prot'", "'server.port'")


@pytest.mark.parametrize("setting, words", [
    ("server.port=web", ("server.port = 'web'", "whole number")), ("server.port=-1", ("whole number",)),
    ("server.port=", ("whole number",)), ("server.port=65536", ("65536",)),
    ("session.idle_time=soon", ("session.idle_time = 'soon'", "duration")),
    ("server.body_bytes=much", ("server.body_bytes = 'much'", "bytes")),
    ("server.body_bytes=99999999999999999999g", ("bytes",)),
    ("cancel.restart=maybe", ("true or false",)), ("log.level=loud", ("log.level", "loud"))])
def test_a_bad_value_names_the_key_and_what_it_takes(setting, words, tmp_path):
    ended = hearth("serve", "--data", str(tmp_path), "--set", "plugins.dir=/nonexistent", "--set", setting)
    refused(ended, 2, *words)


def test_config_shows_each_key_with_its_value_origin_and_documentation(tmp_path):
    file = tmp_path / "hearth.properties"
    file.write_text("session.limit = 7\nserver.threads: 3\n# a remark\ncancel.grace=5s\n")
    other = tmp_path / "more.properties"
    other.write_text("cancel.grace = 6s\n")
    ended = hearth("config", "--config", str(other), "--set", "log.level=warn", "-p", "1234",
                   env={"HEARTH_CONF": str(file), "HEARTH_SERVER_THREADS": "2", "HEARTH_UNRELATED": "x"})
    found = settings_of(ended)
    assert found["session.limit"] == ("7", str(file))
    assert found["server.threads"] == ("2", "environment HEARTH_SERVER_THREADS")
    assert found["cancel.grace"] == ("6s", str(other))
    assert found["log.level"] == ("warn", "command line")
    assert found["server.port"] == ("1234", "command line")
    assert found["server.host"] == ("127.0.0.1", "default")
    lines = ended.stdout.splitlines()
    for key in found:
        at = next(n for n, line in enumerate(lines) if line.startswith(f"{key} = ") or line == f"{key} =")
        assert lines[at - 1].startswith("# from: ") and lines[at - 2].startswith("# ") and len(lines[at - 2]) > 10


def test_a_wrong_file_is_told_by_its_name(tmp_path):
    refused(hearth("serve", "--config", str(tmp_path / "gone")), 2, str(tmp_path / "gone"))
    file = tmp_path / "hearth.properties"
    file.write_text("sesion.limit = 7\n")
    refused(hearth("serve", "--config", str(file)), 2, str(file), "'sesion.limit'", "'session.limit'")
    refused(hearth("config", env={"HEARTH_CONF": str(file)}), 2, str(file))
    refused(hearth("config", env={"HEARTH_SERVER_PORT": "web"}), 2, "HEARTH_SERVER_PORT")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_an_address_that_others_reach_is_refused_without_the_word(host, tmp_path):
    ended = hearth("serve", "--data", str(tmp_path), "--host", host, "-p", "0")
    refused(ended, 2, host, "no authentication", "server.allow_unauthenticated_remote")
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_others_reach_is_served_with_the_word(make_server):
    with make_server({"server.host": "0.0.0.0", "server.allow_unauthenticated_remote": "true"}) as server:
        assert server.get("/version").status == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
def test_loopback_needs_no_word(make_server, host):
    with make_server({"server.host": host}) as server:
        assert server.process.poll() is None


def test_a_port_in_use_is_told(make_server, plugins, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = hearth("serve", "-p", port, "--data", str(tmp_path / "data"), "--plugins", str(plugins))
        refused(ended, 1, f"127.0.0.1:{port}", "in use")


def test_no_plugins_is_a_server_that_says_so(make_server, tmp_path):
    empty = tmp_path / "no plugins"
    empty.mkdir()
    with make_server(plugins_dir=empty) as server:
        assert server.get("/v1/plugins").json == {"plugins": []}
        refused_one = server.post("/sessions", {"kind": "spark"})
        assert refused_one.status == 400 and "Invalid kind: spark" in refused_one.json
        made = server.post("/sessions?wait=20s", {}).json
        view = server.get(f"/v1/sessions/{made['id']}").json
        assert view["state"] == "dead" and "no plugin serves the kind echo" in view["reason"]


def test_the_log_goes_to_a_file_when_asked(make_server, tmp_path):
    file = tmp_path / "host.log"
    with make_server({"log.file": str(file)}) as server:
        assert server.get("/version").status == 200
    text = file.read_text()
    assert "GET /version 200" in text and "stopped" in text


def test_the_access_log_can_be_turned_off(make_server):
    with make_server({"log.access": "false"}) as server:
        server.get("/version")
    assert "access " not in server.log.read_text()


# ---- Plugins ------------------------------------------------------------------------------------------

def plugin_list(folder, manifests, *more):
    return hearth("plugin", "list", "--plugins", str(folder), "--set", f"plugins.conf_dir={manifests}", *more)


def test_plugin_list_shows_what_there_is_and_why_one_is_refused(plugins, tmp_path):
    folder = tmp_path / "plugins"
    shutil.copytree(plugins, folder)
    (folder / "text.so").write_text("no library")
    ended = plugin_list(folder, tmp_path / "none")
    assert ended.returncode == 0
    assert "echo  loaded  version 1.0.0  kinds echo" in ended.stdout
    assert "echoc  loaded" in ended.stdout
    assert str(folder / "text.so") in ended.stdout and "refused" in ended.stdout
    found = json.loads(plugin_list(folder, tmp_path / "none", "--json").stdout)["plugins"]
    assert {entry["instance"]: entry["state"] for entry in found} == {
        "echo": "loaded", "echoc": "loaded", "text": "refused"}
    assert "no plugins in" in plugin_list(tmp_path / "none", tmp_path / "none").stdout


def test_a_manifest_disables_one_plugin_and_renames_another(make_server, plugins, tmp_path):
    manifests = tmp_path / "plugins.d"
    manifests.mkdir()
    (manifests / "echo.json").write_text(json.dumps({"manifest_version": 1, "enabled": False}))
    (manifests / "echoc.json").write_text(json.dumps(
        {"manifest_version": 1, "instance": "mirror", "kinds": {"echoc": "mirror"}}))
    settings = {"plugins.conf_dir": str(manifests), "session.shared_kind": "mirror"}
    with make_server(settings) as server:
        states = {entry["instance"]: entry["state"] for entry in server.get("/v1/plugins").json["plugins"]}
        assert states == {"echo": "disabled", "mirror": "loaded"}
        for gone in ("echo", "echoc"):
            assert server.post("/sessions", {"kind": gone}).status == 400
        made = server.session(kind="mirror")
        assert server.get(f"/sessions/{made}").json["kind"] == "mirror"
        assert server.text(made, "1") == "1" and server.text(made, "2", "mirror") == "2"
        shared = server.session()
        assert server.text(shared, "3", "mirror") == "3"
    listed = plugin_list(plugins, manifests).stdout
    assert "echo  disabled" in listed and "mirror  loaded" in listed


def test_two_instances_of_one_plugin_run_side_by_side_in_one_session(make_server, plugins, tmp_path):
    manifests = tmp_path / "plugins.d"
    manifests.mkdir()
    (manifests / "a.json").write_text(json.dumps({"manifest_version": 1, "name": "echo", "kinds": {"echo": "left"}}))
    (manifests / "b.json").write_text(json.dumps({"manifest_version": 1, "name": "echo", "kinds": {"echo": "right"}}))
    with make_server({"plugins.conf_dir": str(manifests)}) as server:
        made = server.session(kind="left")
        assert server.text(made, "1", "left") == "1" and server.text(made, "2", "right") == "2"
        assert server.text(made, "3", "echoc") == "3"
