"""Hearth's own face: the same sessions, more of them told, and errors as RFC 9457 has them."""

import datetime
import json
import shutil

import pytest

SESSION = ["id", "name", "kind", "template", "state", "reason", "stateSince", "created", "ended", "deleted", "owner", "proxyUser",
           "appId", "sparkVersion", "plugin", "appInfo", "ttl", "idleTimeout", "driverMemory", "driverCores", "executorMemory",
           "executorCores", "conf", "archives", "files", "heartbeatTimeoutInSecond", "jars", "numExecutors",
           "pyFiles", "queue", "links"]
STATEMENT = ["id", "kind", "code", "state", "outcome", "output", "stdout", "stderr", "displays", "progress", "submitted",
             "started", "completed"]

SERVER_SETTINGS = {"server.body_bytes": "1m"}


def problem(answer, status, *words):
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json
    assert list(body) == ["type", "title", "status", "detail", "instance"]
    assert body["status"] == status and body["title"] and body["type"] == "about:blank"
    assert body["instance"].startswith("/v1")
    for word in words:
        assert word in body["detail"], body
    return body


def moment(text):
    assert text.endswith("Z")
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


# ---- The same resources ---------------------------------------------------------------------------

def test_a_session_is_made_read_and_deleted(server):
    made = server.post("/v1/sessions?wait=20s", {"kind": "echo", "name": "v one", "conf": {"a": "b"}})
    assert made.status == 201
    view = made.json
    assert list(view) == SESSION
    path = f"/v1/sessions/{view['id']}"
    assert made.headers["location"] == path
    assert view["links"] == {"self": path, "statements": f"{path}/statements", "log": f"{path}/log"}
    assert view["state"] == "idle" and view["reason"] is None and view["name"] == "v one"
    assert view["conf"] == {"a": "b"} and view["deleted"] is False and view["ended"] is None
    assert moment(view["created"]) <= moment(view["stateSince"])
    assert abs((moment(view["created"]) - datetime.datetime.utcnow()).total_seconds()) < 300
    assert server.get(path).json == view
    assert server.get("/v1/sessions/v%20one").json == view
    assert server.get(f"/sessions/{view['id']}").json["name"] == "v one"
    deleted = server.delete(path)
    assert deleted.status == 204 and deleted.body == b""


def test_a_deleted_session_can_be_read_here_and_not_on_livys_face(server):
    made = server.session(kind="echo")
    server.run(made, "kept")
    server.delete(f"/sessions/{made}")
    assert server.get(f"/sessions/{made}").status == 404
    assert server.get(f"/sessions/{made}/statements/0").status == 404
    view = server.get(f"/v1/sessions/{made}").json
    assert view["state"] == "dead" and view["reason"] == "deleted by a client" and view["deleted"] is True
    assert moment(view["ended"]) >= moment(view["created"])
    assert server.get(f"/v1/sessions/{made}/statements/0").json["output"]["data"] == {"text/plain": "kept"}
    assert server.get(f"/v1/sessions/{made}/statements").json["total"] == 1
    assert any("deleted by a client" in line for line in server.get(f"/v1/sessions/{made}/log").json["log"])
    assert server.delete(f"/v1/sessions/{made}").status == 204  # as often as one likes


def test_the_list_shows_deleted_sessions_when_asked_for(server):
    kept, gone = server.session(kind="echo"), server.session(kind="echo")
    server.delete(f"/v1/sessions/{gone}")

    def listed(query):
        page = server.get(f"/v1/sessions?size=10000{query}").json
        assert list(page) == ["from", "total", "sessions"]
        assert page["total"] == len(page["sessions"])
        return [view["id"] for view in page["sessions"]]

    assert kept in listed("") and gone not in listed("")
    assert kept in listed("&deleted=true") and gone in listed("&deleted=true")
    assert listed("&deleted=false") == listed("")
    server.delete(f"/v1/sessions/{kept}")


def test_a_stopped_session_tells_who_stopped_it(server):
    made = server.session(kind="echo")
    server.request("POST", f"/sessions/{made}/stop")
    view = server.get(f"/v1/sessions/{made}").json
    assert (view["state"], view["reason"], view["deleted"]) == ("dead", "stopped by a client", False)


def test_a_statement_tells_what_it_printed_and_when(server, session):
    made = server.post(f"/v1/sessions/{session}/statements?wait=20s", {"code": "print hello"})
    assert made.status == 201
    view = made.json
    assert list(view) == STATEMENT
    assert made.headers["location"] == f"/v1/sessions/{session}/statements/0"
    assert view["stdout"] == "hello\n" and view["stderr"] == ""
    assert (view["state"], view["outcome"], view["kind"]) == ("available", "ok", "echo")
    assert view["output"]["data"] == {"text/plain": "hello"}
    assert moment(view["submitted"]) <= moment(view["started"]) <= moment(view["completed"])
    assert server.get(f"/v1/sessions/{session}/statements/0").json == view
    lines = server.post(f"/v1/sessions/{session}/statements?wait=20s", {"code": "lines 1000"}).json
    assert lines["stdout"] == "".join(f"line {n}\n" for n in range(1, 1001))


def test_what_is_printed_can_be_read_while_the_code_runs(server, session):
    server.post(f"/v1/sessions/{session}/statements?wait=20s", {"code": "print before"})
    running = server.post(f"/v1/sessions/{session}/statements", {"code": "slow 600"}).json
    assert running["outcome"] is None and running["output"] is None and running["completed"] is None
    page = server.get(f"/v1/sessions/{session}/statements").json
    assert list(page) == ["from", "total", "statements"]
    assert [view["state"] for view in page["statements"]][0] == "available"
    assert page["statements"][0]["stdout"] == "before\n"


def test_outcomes_are_told_apart(server, session):
    assert server.post(f"/v1/sessions/{session}/statements?wait=20s", {"code": "fail"}).json["outcome"] == "error"
    number = server.post(f"/v1/sessions/{session}/statements", {"code": "slow 600"}).json["id"]
    server.post(f"/v1/sessions/{session}/statements/{number}/cancel")
    view = server.get(f"/v1/sessions/{session}/statements/{number}?wait=20s").json
    assert (view["state"], view["outcome"], view["output"]) == ("cancelled", "cancelled", None)


def test_cancel_answers_202_with_the_statement_and_409_when_it_is_too_late(server, session):
    number = server.post(f"/v1/sessions/{session}/statements", {"code": "slow 600"}).json["id"]
    path = f"/v1/sessions/{session}/statements/{number}"
    answer = server.post(f"{path}/cancel")
    assert answer.status == 202 and answer.json["state"] in ("cancelling", "cancelled")
    assert server.get(f"{path}?wait=20s").json["state"] == "cancelled"
    problem(server.post(f"{path}/cancel"), 409, "cancelled already")
    problem(server.post(f"/v1/sessions/{session}/statements/99/cancel"), 404, "Statement not found")


def test_interrupt_answers_202_or_says_that_nothing_runs(server, session):
    problem(server.post(f"/v1/sessions/{session}/interrupt"), 409, "no statement runs")
    number = server.post(f"/v1/sessions/{session}/statements", {"code": "slow 600"}).json["id"]
    server.until("it runs", lambda: server.get(
        f"/v1/sessions/{session}/statements/{number}").json["state"] == "running")
    assert server.post(f"/v1/sessions/{session}/interrupt").status == 202
    assert server.get(f"/v1/sessions/{session}/statements/{number}?wait=20s").json["state"] == "cancelled"


def test_completion_and_log_are_here_too(server, session):
    answer = server.post(f"/v1/sessions/{session}/completion", {"code": "ab", "cursor": 2})
    assert answer.json == {"candidates": ["ab1", "ab2"]}
    assert server.get(f"/v1/sessions/{session}/log").json == server.get(f"/sessions/{session}/log").json


# ---- Mistakes -------------------------------------------------------------------------------------

@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"{} {}"])
def test_a_body_that_is_no_json_object_is_400(server, session, body):
    for path in ("/v1/sessions", f"/v1/sessions/{session}/statements", f"/v1/sessions/{session}/completion"):
        problem(server.post(path, body), 400)


@pytest.mark.parametrize("body, word", [
    ({"kind": "cobol"}, "Invalid kind: cobol"), ({"kind": 5}, '"kind"'), ({"kind": "echo", "nope": 1}, '"nope"'),
    ({"kind": "echo", "conf": 1}, '"conf"'), ({"kind": "echo", "ttl": "soon"}, "Invalid time string: soon"),
    ({"kind": "echo", "name": "12"}, "Invalid session name: 12"), ({"kind": "echo", "name": ""}, "Invalid session"),
    ({"kind": "echo", "numExecutors": "many"}, '"numExecutors"'), ({"kind": "echo", "name": "a/b"}, "a/b"),
    ({"kind": "echo", "queue": "a\0b"}, "NUL"), ({"kind": "echo", "name": "x" * 300}, "Invalid session name")])
def test_a_field_that_is_wrong_is_422_and_names_the_field(server, body, word):
    problem(server.post("/v1/sessions", body), 422, word)


@pytest.mark.parametrize("body, word", [
    ({}, '"code" is needed'), ({"code": 5}, '"code"'), ({"code": "1", "kind": "cobol"}, "Invalid kind"),
    ({"code": "1", "knd": "echo"}, 'did you mean "kind"')])
def test_a_statement_that_is_wrong_is_422(server, session, body, word):
    problem(server.post(f"/v1/sessions/{session}/statements", body), 422, word)


def test_a_statement_without_a_kind_in_a_shared_session_is_422(server):
    made = server.session()
    problem(server.post(f"/v1/sessions/{made}/statements", {"code": "1"}), 422, "kind")
    server.delete(f"/sessions/{made}")


@pytest.mark.parametrize("query", ["from=abc", "size=-1", "from=-1", "size=1.5", "deleted=maybe", "from=99999999999"])
def test_a_parameter_that_is_wrong_is_400(server, query):
    problem(server.get(f"/v1/sessions?{query}"), 400)


@pytest.mark.parametrize("query", ["from=abc", "size=-1", "order=sideways"])
def test_a_parameter_of_the_statements_that_is_wrong_is_400(server, session, query):
    problem(server.get(f"/v1/sessions/{session}/statements?{query}"), 400)


def test_what_there_is_not_is_404(server, session):
    for path in ("/v1/sessions/999999", "/v1/sessions/nobody", "/v1/sessions/-1", "/v1/sessions/999999/log",
                 "/v1/sessions/999999/statements"):
        problem(server.get(path), 404, "not found")
    problem(server.get(f"/v1/sessions/{session}/statements/7"), 404, "Statement not found")
    problem(server.get("/v1/nothing"), 404, "there is no /v1/nothing")
    problem(server.get("/v1/session"), 404, "did you mean /v1/sessions")
    problem(server.get("/v1"), 404)
    problem(server.delete("/v1/sessions/999999"), 404)


def test_a_method_that_a_path_does_not_take_is_405(server, session):
    for path, takes in (("/v1/sessions", {"GET", "HEAD", "POST"}), ("/v1/version", {"GET", "HEAD"}),
                        (f"/v1/sessions/{session}", {"GET", "HEAD", "DELETE"})):
        answer = server.request("PUT", path)
        problem(answer, 405)
        assert set(answer.headers["allow"].split(", ")) == takes


def test_work_for_a_dead_session_is_409(server):
    made = server.session(kind="echo")
    server.run(made, "1")
    server.request("POST", f"/sessions/{made}/stop")
    for path, body in (("statements", {"code": "1"}), ("statements/0/cancel", {}), ("interrupt", {}),
                       ("completion", {"code": "a", "cursor": 1})):
        problem(server.post(f"/v1/sessions/{made}/{path}", body), 409, "Session is in state dead")


def test_a_name_in_use_is_409(server):
    made = server.session(kind="echo", name="mine")
    problem(server.post("/v1/sessions", {"kind": "echo", "name": "mine"}), 409, "Duplicate session name", str(made))
    server.delete(f"/sessions/{made}")


def test_a_body_beyond_the_bound_is_413(server, session):
    problem(server.post(f"/v1/sessions/{session}/statements", {"code": "x" * (1 << 20)}), 413)
    assert server.post(f"/v1/sessions/{session}/statements", {"code": "x" * 1_000_000}).status == 201


def test_a_limit_is_429_with_retry_after(make_server):
    with make_server({"session.limit": "2", "statement.queue": "1"}) as server:
        first = server.session(kind="echo")
        server.session(kind="echo")
        refused = server.post("/v1/sessions", {"kind": "echo"})
        problem(refused, 429)
        assert int(refused.headers["retry-after"]) > 0
        for code in ("slow 600", "waits"):
            assert server.post(f"/v1/sessions/{first}/statements", {"code": code}).status == 201
            server.until("it runs", lambda: server.get(
                f"/sessions/{first}/statements/0").json["state"] == "running")
        refused = server.post(f"/v1/sessions/{first}/statements", {"code": "too much"})
        problem(refused, 429)
        assert int(refused.headers["retry-after"]) > 0
        server.delete(f"/sessions/{first}")
        assert server.post("/v1/sessions", {"kind": "echo"}).status == 201


# ---- What the server is -----------------------------------------------------------------------------

def test_version_names_the_program_and_its_borders(server):
    view = server.get("/v1/version").json
    assert list(view) == ["name", "version", "livy", "abi"]
    assert view["name"] == "hearth" and view["abi"].startswith("1.")


def test_plugins_are_listed_with_what_they_offer_and_the_refused_ones_with_the_reason(make_server, plugins, tmp_path):
    folder = tmp_path / "plugins"
    shutil.copytree(plugins, folder)
    (folder / "text.so").write_text("this is no library")
    (folder / "again").mkdir()
    shutil.copy(plugins / "echo" / "echo.so", folder / "again" / "again.so")
    manifests = tmp_path / "plugins.d"
    manifests.mkdir()
    (manifests / "broken.json").write_text("{")
    (manifests / "gone.json").write_text(json.dumps({"manifest_version": 1, "library": "nowhere.so"}))
    with make_server({"plugins.conf_dir": str(manifests)}, folder) as server:
        found = server.get("/v1/plugins").json["plugins"]
        keys = ["instance", "state", "reason", "path", "manifest", "id", "version", "abi", "kinds", "aliases",
                "magics", "leader", "quarantined", "lastCrash", "sha256", "loadedAt", "sessions",
                "defaults", "limits"]
        assert all(list(entry) == keys for entry in found)
        loaded = {entry["id"]: entry for entry in found if entry["state"] == "loaded"}
        assert loaded["echoc"]["kinds"] == ["echoc"] and loaded["echoc"]["reason"] is None
        assert loaded["echoc"]["path"] == str(folder / "echoc" / "echoc.so")
        refused = {entry["path"]: entry for entry in found if entry["state"] == "refused"}
        assert len(refused) == 4  # text, the second echo, the two manifests
        assert all(entry["reason"] for entry in refused.values())
        assert refused[str(folder / "text.so")]["kinds"] == []
        assert server.text(server.session(kind="echo"), "1") == "1"
