"""SIGTERM: the server ends by itself, soon, with status 0, and leaves nothing running."""

import http.client
import signal
import threading
import time

import pytest

from contract_wire import connect, hold, read_all, status_of


def leftovers(server):
    """Private folders of sessions and sockets that outlived the server."""
    return [path for path in server.data.rglob("*") if path.name == "work" or path.is_socket()]


def stop(server, within, signalled=False):
    """SIGTERM, unless it has been sent: a second one ends a server at once."""
    started = time.monotonic()
    if not signalled:
        server.process.send_signal(signal.SIGTERM)
    status = server.process.wait(within)
    server.check_log()
    assert status == 0, server.log.read_text()[-3000:]
    assert not server.children()
    assert leftovers(server) == []
    return time.monotonic() - started


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once(make_server, signo):
    server = make_server().start()
    server.process.send_signal(signo)
    assert server.process.wait(15) == 0
    assert leftovers(server) == []


def test_open_sessions_running_code_and_held_waits_do_not_hold_it_up(make_server):
    server = make_server().start()
    sessions = [server.session(kind=kind) for kind in ("echo", "echoc") * 10]
    for session in sessions:
        for code in ("hang", "never"):
            server.post(f"/sessions/{session}/statements", {"code": code})
    waiting = [client for session in sessions
               for client in hold(server, f"/sessions/{session}/statements/0?wait=4m", 5)
               + hold(server, f"/v1/sessions/{session}/statements/1?wait=4m", 5)]
    server.until("they hang", lambda: all(
        server.get(f"/sessions/{session}/statements/0").json["state"] == "running" for session in sessions))
    server.process.send_signal(signal.SIGTERM)
    answers = read_all(waiting, 20)
    assert len(answers) == 200
    # Each is told how its statement ended, or that the server goes down.
    assert {status_of(answer) for answer in answers} <= {200, 503}
    assert any(b'"state":"cancelled"' in answer for answer in answers)
    stop(server, 20, signalled=True)
    server.start()
    for session in sessions:
        view = server.get(f"/v1/sessions/{session}").json
        assert (view["state"], view["reason"]) == ("dead", "the server was stopped")
        assert [statement["state"] for statement in
                server.get(f"/sessions/{session}/statements").json["statements"]] == ["cancelled"] * 2


def test_idle_connections_do_not_hold_it_up(make_server):
    server = make_server().start()
    clients = hold(server, "/version", 50)
    half = []
    for _ in range(50):
        half.append(connect(server))
        half[-1].sendall(b"POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert stop(server, 20) < 15
    for client in clients + half:
        client.close()


def test_new_sessions_are_refused_while_it_ends(make_server, bad_plugins):
    server = make_server({"session.close_time": "3s"}, bad_plugins).start()
    held = server.session(kind="neverclose")  # keeps the server ending for its close time
    server.process.send_signal(signal.SIGTERM)
    server.until("it ends", lambda: server.get(f"/sessions/{held}/state").json["state"] == "shutting_down")
    for face in ("", "/v1"):
        refused = server.post(f"{face}/sessions", {"kind": "echo"})
        assert refused.status == 503 and int(refused.headers["retry-after"]) > 0
    refused = server.post(f"/sessions/{held}/statements", {"code": "1"})
    assert refused.status == 400 and "shutting_down" in refused.json
    stop(server, 30, signalled=True)


def test_a_plugin_that_does_not_close_holds_it_up_for_its_close_time_only(make_server, bad_plugins):
    server = make_server({"session.close_time": "1s"}, bad_plugins).start()
    for kind in ("neverclose", "neveridle", "child", "lateidle", "leading"):
        server.post("/sessions", {"kind": kind})
    server.until("the process runs", server.children)
    assert stop(server, 30) < 20


def test_sessions_that_are_being_made_do_not_hold_it_up(make_server, bad_plugins):
    for delay in (0, 0.05, 0.2):
        server = make_server({"session.limit": "5000"}, bad_plugins).start()
        statuses = []

        def client(kind):
            try:
                while True:
                    statuses.append(server.post("/sessions?wait=4m", {"kind": kind}, timeout=30).status)
            except (OSError, http.client.HTTPException):  # the server has gone
                return

        threads = [threading.Thread(target=client, args=(kind,)) for kind in ("echo", "lateidle") * 6]
        for thread in threads:
            thread.start()
        server.until("some are made", lambda: statuses)
        time.sleep(delay)
        stop(server, 30)
        for thread in threads:
            thread.join()
        assert set(statuses) <= {201, 503}
        server.start()
        page = server.get("/v1/sessions?size=10000").json["sessions"]
        assert {view["state"] for view in page} == {"dead"}
        assert {view["reason"] for view in page} == {"the server was stopped"}
        assert stop(server, 20) < 15


def test_statements_that_are_being_posted_do_not_hold_it_up(make_server):
    server = make_server().start()
    sessions = [server.session(kind="echo") for _ in range(4)]
    statuses = []

    def client(number):
        try:
            while True:
                statuses.append(server.post(f"/sessions/{sessions[number % 4]}/statements?wait=4m",
                                            {"code": "slow 0.01"}, timeout=30).status)
        except (OSError, http.client.HTTPException):
            return

    threads = [threading.Thread(target=client, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    server.until("some have run", lambda: len(statuses) > 20)
    stop(server, 30)
    for thread in threads:
        thread.join()
    server.start()
    for session in sessions:
        page = server.get(f"/sessions/{session}/statements").json["statements"]
        assert {view["state"] for view in page} <= {"available", "cancelled"}
        assert [view["id"] for view in page] == list(range(len(page)))


def test_a_second_signal_ends_a_server_that_takes_its_time(make_server, bad_plugins):
    server = make_server({"session.close_time": "30s"}, bad_plugins).start()
    held = server.session(kind="neverclose")
    server.process.send_signal(signal.SIGTERM)
    server.until("it ends", lambda: server.get(f"/sessions/{held}/state").json["state"] == "shutting_down")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == -signal.SIGTERM


def test_completions_and_creations_in_flight_do_not_crash_it(make_server, bad_plugins):
    server = make_server(plugins_dir=bad_plugins).start()
    made = server.session(kind="echo")

    def client(number):
        try:
            while True:
                if number % 2:
                    server.post(f"/sessions/{made}/completion", {"code": "a", "cursor": 1, "kind": "echo"})
                else:
                    answer = server.post("/sessions", {"kind": "child"})
                    if answer.status == 201:  # else the server is ending
                        server.delete(f"/sessions/{answer.json['id']}")
        except (OSError, http.client.HTTPException):
            return

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    stop(server, 30)
    for thread in threads:
        thread.join()
