"""Clocks end what nobody uses, with the reason, and never what works."""

import time

import pytest


def state(server, session):
    # The list, since any request that names the session is a sign of life.
    page = server.get("/v1/sessions?deleted=true&size=10000").json["sessions"]
    return next(view for view in page if view["id"] == session)


def ended(server, session, seconds=20):
    view = server.until("it ends", lambda: (
        lambda found: found if found["state"] == "dead" else None)(state(server, session)), seconds)
    assert view["ended"]
    return view


@pytest.mark.parametrize("fields, reason", [
    ({"idleTimeout": "1s"}, "idle for 1 s"), ({"ttl": "1s"}, "its time to live of 1 s is over"),
    ({"heartbeatTimeoutInSecond": 1}, "no heartbeat from a client for 1 s")])
def test_a_session_at_rest_ends_with_the_reason_and_is_gone_for_livys_clients(server, fields, reason):
    made = server.session(kind="echo", **fields)
    assert server.run(made, "1")["output"]["status"] == "ok"
    view = ended(server, made)
    assert view["reason"] == reason
    assert server.get(f"/sessions/{made}").status == 404
    assert server.get(f"/v1/sessions/{made}/statements/0").json["output"]["status"] == "ok"


@pytest.mark.parametrize("fields", [{"idleTimeout": "1s"}, {"ttl": "1s"}, {"heartbeatTimeoutInSecond": 1}])
def test_running_code_is_never_ended_by_a_clock(server, fields):
    made = server.session(kind="echo", **fields)
    first = server.post(f"/sessions/{made}/statements", {"code": "slow 3"})
    second = server.post(f"/sessions/{made}/statements", {"code": "second"})
    assert first.status == second.status == 201
    # Nobody names the session meanwhile.
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert state(server, made)["state"] == "busy"
        time.sleep(0.1)
    ended(server, made)
    outcomes = [server.get(f"/v1/sessions/{made}/statements/{number}").json["outcome"] for number in (0, 1)]
    assert outcomes == ["ok", "ok"]


def test_work_puts_the_idle_time_off(server):
    made = server.session(kind="echo", idleTimeout="2s")
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert server.run(made, "1")["output"]["status"] == "ok"
        time.sleep(0.3)
    assert ended(server, made)["reason"] == "idle for 2 s"


@pytest.mark.parametrize("call", ["connect", "completion"])
def test_a_call_that_livy_takes_for_activity_puts_the_idle_time_off(server, call):
    made = server.session(kind="echo", idleTimeout="2s")
    body = {"code": "a", "cursor": 1, "kind": "echo"} if call == "completion" else ""
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert server.post(f"/sessions/{made}/{call}", body).status == 200
        time.sleep(0.3)
    ended(server, made)


def test_looking_does_not_put_the_idle_time_off(server):
    made = server.session(kind="echo", idleTimeout="1s")
    server.until("it ends", lambda: server.get(f"/sessions/{made}").status == 404, 20)


@pytest.mark.parametrize("path", ["", "/state", "/log", "/statements"])
def test_any_request_that_names_the_session_is_a_heartbeat(server, path):
    made = server.session(kind="echo", heartbeatTimeoutInSecond=2)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert server.get(f"/sessions/{made}{path}").status == 200
        time.sleep(0.3)
    assert ended(server, made)["reason"] == "no heartbeat from a client for 2 s"


def test_the_list_is_no_heartbeat(server):
    made = server.session(kind="echo", heartbeatTimeoutInSecond=1)
    ended(server, made)  # looks at the list all the time


def test_a_client_that_waits_for_its_statement_is_alive(server):
    made = server.session(kind="echo", heartbeatTimeoutInSecond=1)
    answer = server.post(f"/sessions/{made}/statements?wait=20s", {"code": "slow 2.5"})
    assert answer.json["state"] == "available"
    assert ended(server, made)["reason"] == "no heartbeat from a client for 1 s"


def test_a_session_that_still_starts_is_not_idle(make_server, bad_plugins):
    with make_server(plugins_dir=bad_plugins) as server:
        made = server.post("/sessions?wait=20s", {"kind": "lateidle", "idleTimeout": "200ms", "ttl": "200ms"})
        assert made.json["state"] == "idle"
        assert ended(server, made.json["id"])["reason"]


def test_the_servers_idle_time_is_for_sessions_that_say_nothing(make_server):
    with make_server({"session.idle_time": "1s"}) as server:
        said, silent = server.session(kind="echo", idleTimeout="1h"), server.session(kind="echo")
        never = server.session(kind="echo", idleTimeout="0")
        assert ended(server, silent)["reason"] == "idle for 1 s"
        assert state(server, said)["state"] == state(server, never)["state"] == "idle"


def test_zero_is_no_time_limit(server):
    made = server.session(kind="echo", idleTimeout="0s", ttl="0", heartbeatTimeoutInSecond=0)
    time.sleep(1)
    assert state(server, made)["state"] == "idle"
    server.delete(f"/sessions/{made}")


def test_a_clock_that_runs_out_together_with_a_delete_does_no_harm(server):
    for _ in range(5):
        made = [server.session(kind="echo", idleTimeout="300ms") for _ in range(5)]
        time.sleep(0.29)
        for session in made:
            assert server.delete(f"/sessions/{session}").status in (200, 404)
        for session in made:
            ended(server, session)


def test_a_wait_for_others_is_told_and_is_not_cut_short_by_the_time_to_launch(make_server, bad_plugins):
    server = make_server({"session.launch_time": "1s", "session.queue_time": "60s"}, bad_plugins).start()
    made = server.post("/sessions", {"kind": "waiting"}).json["id"]
    view = server.until("it tells", lambda: (lambda found: found if found["reason"] else None)(state(server, made)))
    assert (view["state"], view["reason"], view["appId"]) == ("starting", "it waits for its turn", "app-2")
    server.settle(made)
    assert state(server, made)["reason"] is None
    assert "it waits for its turn" in server.get(f"/sessions/{made}/log").body.decode()


def test_a_wait_for_others_has_its_own_end(make_server, bad_plugins):
    server = make_server({"session.launch_time": "60s", "session.queue_time": "1s"}, bad_plugins).start()
    made = server.post("/sessions?wait=20s", {"kind": "waiting"}).json["id"]
    view = server.get(f"/v1/sessions/{made}").json
    assert view["state"] == "dead"
    assert view["reason"] == "the waiting interpreter was not ready within 1 s: it waits for its turn"
