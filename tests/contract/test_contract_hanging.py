"""Plugins whose calls do not return: everything else goes on, and clients are answered."""

import time

import pytest

import harness

SETTINGS = {"session.shared_kind": "echo", "session.launch_time": "5s", "session.close_time": "2s",
            "plugins.call_limit": "1s", "plugins.hanging": "100", "cancel.grace": "1s"}


@pytest.fixture
def until(tmp_path):
    """The file that lets calls return."""
    return tmp_path / "until"


@pytest.fixture
def host(bad_plugins, tmp_path, until):
    """Its end is a test of its own: it must come though calls hang."""
    server = harness.Server(tmp_path / "server", SETTINGS, bad_plugins).start()
    yield server
    if server.running():
        until.touch()
        assert server.stop() == 0
    server.check_log()


def hanging(host, until, at="never", **fields):
    return host.session(kind="wild", conf={"wild.at": at, "wild.do": "hang", "wild.until": str(until)}, **fields)


def hang(host, session):
    number = host.submit(session, "now")
    host.until("it hangs", lambda: "does not return" in (host.view(session)["reason"] or ""))
    return number


def test_other_sessions_go_on_while_twenty_hang(host, until):
    sessions = [hanging(host, until) for _ in range(20)]
    numbers = [host.submit(session, "now") for session in sessions]
    for session in sessions:
        host.until("it hangs", lambda: "does not return" in (host.view(session)["reason"] or ""))
    echo = host.session(kind="echo")
    assert host.text(echo, "hello") == "hello"
    other = host.session(kind="wild")
    assert host.text(other, "1") == "ok"
    log = host.log.read_text()
    assert f"plugin misbehaving does not return from execute, session {sessions[0]}" in log
    assert host.get("/v1/health/ready").status == 200

    until.touch()
    for session, number in zip(sessions, numbers):
        assert host.finish(session, number)["output"]["status"] == "ok"
        assert host.view(session)["reason"] is None
        assert host.text(session, "2") == "ok"
    host.until("no more threads than before", lambda: host.threads() < 30)


def test_requests_of_a_session_that_hangs_are_answered(host, until):
    session = hanging(host, until)
    number = hang(host, session)
    begun = time.monotonic()
    path = f"/v1/sessions/{session}/statements"
    refused = host.post(path, {"code": "2"})
    assert refused.status == 503 and "does not return from execute" in refused.json["detail"], refused
    assert host.post(f"{path}/{number}/cancel").status == 503
    assert host.post(f"/v1/sessions/{session}/inspection", {"code": "a", "cursor": 1}).status == 503
    assert host.post(f"/sessions/{session}/completion", {"code": "a", "kind": "wild", "cursor": 1}).status == 503
    assert time.monotonic() - begun < 10
    waited = host.get(f"{path}/{number}?wait=1s", timeout=15)
    assert waited.json["state"] == "running"
    assert host.get(f"/sessions/{session}/log").json["log"][-1].startswith("hearth: plugin misbehaving does not return")


def test_who_waits_already_when_a_call_turns_out_to_hang_is_answered(host, until):
    session = hanging(host, until)
    posted = host.post(f"/v1/sessions/{session}/statements?wait=60s", {"code": "now"}, timeout=30)
    assert posted.status == 201 and posted.json["state"] == "running"


@pytest.mark.parametrize("at", ("execute", "close"))
def test_a_session_that_hangs_can_be_deleted_and_its_name_used_again(host, until, at):
    session = hanging(host, until, at, name="taken")
    if at == "execute":
        hang_number = host.submit(session, "x")
    deleted = host.delete(f"/sessions/{session}", timeout=30)
    assert deleted.status == 200, deleted
    view = host.get(f"/v1/sessions/{session}").json
    assert view["state"] == "dead" and f"does not return from {at}" in view["reason"], view
    if at == "execute":
        statement = host.statement(session, hang_number)
        assert "does not return from execute" in str(statement), statement
    assert host.get(f"/sessions/{session}").status == 404
    again = host.session(kind="wild", name="taken")
    until.touch()
    assert host.text(again, "1") == "ok"
    host.until("the call has returned", lambda: f"has returned from {at}" in host.log.read_text())
    assert host.get(f"/v1/sessions/{session}").json == view


def test_a_create_request_whose_open_hangs_is_answered(host, until):
    made = host.post("/v1/sessions", {"kind": "wild", "conf": {"wild.at": "open", "wild.do": "hang",
                                                              "wild.until": str(until)}}, timeout=30)
    assert made.status == 503 and "does not return from open" in made.json["detail"], made
    assert host.text(host.session(kind="echo"), "on") == "on"


def test_the_host_stops_though_calls_do_not_return(host, until):
    session = hanging(host, until)
    hang(host, session)
    begun = time.monotonic()
    assert host.stop(timeout=60) == 0
    assert time.monotonic() - begun < 30
    assert f"ends without it: plugin misbehaving does not return from execute, session {session}" in host.log.read_text()
    host.start()
    view = host.view(session)
    assert view["state"] == "dead" and "does not return from execute" in view["reason"], view


def test_a_plugin_with_too_many_calls_that_hang_gets_no_new_sessions(bad_plugins, tmp_path, until):
    with harness.Server(tmp_path / "server", {**SETTINGS, "plugins.hanging": "2"}, bad_plugins) as host:
        sessions = [hanging(host, until) for _ in range(2)]
        for session in sessions:
            hang(host, session)
        refused = host.post("/v1/sessions", {"kind": "wild"})
        assert refused.status == 503 and "misbehaving does not return from 2 calls" in refused.json["detail"], refused
        assert host.text(host.session(kind="echo"), "on") == "on"
        until.touch()
        host.until("they have returned", lambda: host.post("/v1/sessions", {"kind": "wild"}).status == 201)
