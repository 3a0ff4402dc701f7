"""?wait=: an answer as soon as there is one, at no cost of threads."""

import time
import urllib.parse

import pytest

from contract_wire import connect, hold, read_all, status_of

SERVER_SETTINGS = {"server.wait_max": "20s"}


def took(work):
    started = time.monotonic()
    return work(), time.monotonic() - started


def post(server, session, code, query=""):
    return server.post(f"/sessions/{session}/statements{query}", {"code": code})


def test_a_create_that_waits_answers_when_the_session_is_ready(server):
    made = server.post("/sessions?wait=20s", {"kind": "echo"})
    assert made.status == 201 and made.json["state"] == "idle"
    assert made.headers["location"] == f"/sessions/{made.json['id']}"
    server.delete(made.headers["location"])


def test_a_post_that_waits_answers_with_the_result(server, session):
    answer = post(server, session, "1+1", "?wait=20s")
    assert answer.status == 201 and answer.json["state"] == "available"
    assert answer.json["output"]["data"] == {"text/plain": "1+1"}


def test_a_get_that_waits_answers_at_the_end_of_the_statement_and_not_before(server, session):
    number = post(server, session, "slow 1").json["id"]
    answer, seconds = took(lambda: server.get(f"/sessions/{session}/statements/{number}?wait=20s"))
    assert answer.json["state"] == "available" and 0.5 < seconds < 15


def test_what_is_over_is_answered_at_once(server, session):
    number = post(server, session, "1", "?wait=20s").json["id"]
    for path in (f"/sessions/{session}?wait=20s", f"/sessions/{session}/state?wait=20s",
                 f"/v1/sessions/{session}?wait=20s", f"/sessions/{session}/statements/{number}?wait=20s",
                 f"/v1/sessions/{session}/statements/{number}?wait=20s"):
        answer, seconds = took(lambda path=path: server.get(path))
        assert answer.status == 200 and seconds < 10


def test_a_wait_that_is_over_first_answers_as_things_are(server, session):
    number = post(server, session, "slow 600").json["id"]
    for query in ("wait=300ms", "wait=0", "wait=0s"):
        answer = server.get(f"/sessions/{session}/statements/{number}?{query}")
        assert answer.status == 200 and answer.json["state"] == "running" and answer.json["output"] is None
    answer, seconds = took(lambda: server.get(f"/sessions/{session}/statements/{number}?wait=1"))
    assert answer.json["state"] == "running" and 0.9 < seconds < 15  # a bare number is seconds


def test_a_wait_longer_than_the_server_grants_is_cut_and_no_error(make_server):
    with make_server({"server.wait_max": "300ms"}) as server:
        made = server.session(kind="echo")
        number = post(server, made, "slow 600").json["id"]
        answer, seconds = took(lambda: server.get(f"/sessions/{made}/statements/{number}?wait=1d"))
        assert answer.json["state"] in ("waiting", "running") and seconds < 20


@pytest.mark.parametrize("wait", ["", "soon", "-1s", "1.5s", "1 s", "99999999999999999999", "1w", "NaN"])
def test_a_wait_that_is_no_time_is_400_and_does_nothing(server, session, wait):
    query = "?wait=" + urllib.parse.quote(wait)
    total = server.get("/sessions").json["total"]
    for face in ("", "/v1"):
        for answer in (server.get(f"{face}/sessions/{session}{query}"),
                       server.get(f"{face}/sessions/{session}/statements/0{query}"),
                       server.post(f"{face}/sessions/{session}/statements{query}", {"code": "1"}),
                       server.post(f"{face}/sessions{query}", {"kind": "echo"})):
            assert answer.status == 400 and b"is no duration" in answer.body
    assert server.get(f"/sessions/{session}/statements").json["total_statements"] == 0
    assert server.get("/sessions").json["total"] == total


def test_waiting_for_what_there_is_not_is_404_at_once(server, session):
    for path in ("/sessions/999999?wait=20s", "/sessions/999999/state?wait=20s",
                 f"/sessions/{session}/statements/5?wait=20s", "/v1/sessions/999999?wait=20s"):
        answer, seconds = took(lambda path=path: server.get(path))
        assert answer.status == 404 and seconds < 10


def test_those_who_wait_for_a_statement_are_answered_when_it_is_cancelled_or_its_session_deleted(server):
    made = server.session(kind="echo")
    numbers = [post(server, made, code).json["id"] for code in ("slow 600", "never", "never")]
    waiting = [hold(server, f"/v1/sessions/{made}/statements/{number}?wait=20s", 3) for number in numbers]
    server.post(f"/sessions/{made}/statements/{numbers[2]}/cancel")
    answers = read_all(waiting[2], 15)
    assert len(answers) == 3 and all(b'"state":"cancelled"' in answer for answer in answers)
    server.delete(f"/sessions/{made}")
    for clients in waiting[:2]:
        answers = read_all(clients, 15)
        assert len(answers) == 3 and all(b'"state":"cancelled"' in answer for answer in answers)


def test_those_who_wait_for_a_session_to_start_are_answered_when_it_cannot(make_server, bad_plugins):
    with make_server({"session.launch_time": "1s"}, bad_plugins) as server:
        made = server.post("/sessions", {"kind": "neveridle"}).json["id"]
        answers = read_all(hold(server, f"/sessions/{made}?wait=20s", 20), 30)
        assert all(b'"state":"dead"' in answer for answer in answers)


def test_2000_held_waits_cost_no_thread_and_hold_up_nobody(server):
    made, other = server.session(kind="echo"), server.session(kind="echo")
    number = post(server, made, "slow 600").json["id"]
    waiting = hold(server, f"/sessions/{made}/statements/{number}?wait=20s", 1500)
    waiting += hold(server, f"/v1/sessions/{made}/statements/{number}?wait=20s", 500)
    assert server.threads() < 64
    for n in range(20):
        assert server.get("/version").status == 200
        assert server.text(other, str(n)) == str(n)
        assert server.get(f"/sessions/{made}").json["state"] == "busy"
    assert server.threads() < 64
    server.post(f"/sessions/{made}/statements/{number}/cancel")
    answers = read_all(waiting, 60)
    assert len(answers) == 2000
    assert {status_of(answer) for answer in answers} == {200}
    assert all(b'"state":"cancelled"' in answer for answer in answers)
    for session in (made, other):
        server.delete(f"/sessions/{session}")


def test_clients_that_hang_up_while_they_wait_leave_nothing_behind(make_server):
    with make_server({"server.wait_max": "10m"}) as server:
        made = server.session(kind="echo")
        number = post(server, made, "slow 600").json["id"]
        padding = f"X-Padding: {'x' * 100_000}\r\n"
        before = None
        for round_ in range(12):
            clients = hold(server, f"/sessions/{made}/statements/{number}?wait=10m", 100, padding)
            clients += hold(server, f"/sessions/{made}/state?wait=10m", 1)  # is answered: busy is settled
            server.until("the last one is being served", lambda: clients[-1].recv(1))
            for client in clients:
                client.close()
            if round_ == 3:
                before = server.memory()
        # 800 more requests of 100 kB each would be 80 MB, were they kept.
        assert server.memory() - before < 40 << 20
        assert server.get(f"/sessions/{made}/statements/{number}").json["state"] == "running"


def test_a_client_that_waits_can_send_its_next_request_on_the_same_connection(server, session):
    with connect(server) as client:
        client.sendall(f"GET /sessions/{session}/state?wait=1s HTTP/1.1\r\nHost: x\r\n\r\n"
                       f"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    assert received.count(b"HTTP/1.1 200 OK") == 2 and b'"version"' in received
