"""A session live: its states, its statements and its log as server-sent events."""

import concurrent.futures
import contextlib

import pytest

from contract_wire import events


def session_log(server, session):
    return server.data / "sessions" / str(session) / "session.log"


def told(seen, name):
    return [data for _, event, data in seen if event == name]


def ended(event):
    return event[1] == "state" and event[2].get("ended") is not None


def test_a_session_is_followed_from_its_start_to_its_end(server):
    made = server.session(kind="echo")
    server.run(made, "a")
    server.run(made, "b")
    path = f"/v1/sessions/{made}/events"
    deleted = []

    def delete_at_last(event):
        if event[1] == "statement" and (event[2]["id"], event[2]["state"]) == (1, "available") and not deleted:
            deleted.append(server.delete(f"/v1/sessions/{made}").status)
        return False

    seen = events(server, path, until=delete_at_last)
    assert deleted == [204]
    assert [(s["id"], s["state"]) for s in told(seen, "statement")] == [
        (0, "waiting"), (0, "running"), (0, "available"), (1, "waiting"), (1, "running"), (1, "available")]
    assert told(seen, "statement")[2] == {"id": 0, "kind": "echo", "state": "available", "outcome": "ok"}
    states = told(seen, "state")
    assert states[0]["state"] == "idle" and states[-2]["state"] == "shutting_down"
    assert states[-2]["reason"] == "deleted by a client" and states[-2]["since"]
    assert states[-1]["state"] == "dead" and states[-1]["reason"] == "deleted by a client" and states[-1]["ended"]
    assert "hearth: session ends: deleted by a client" in [line for log in told(seen, "log") for line in log["lines"]]


def test_cancelled_and_failed_statements_are_told_as_such(wild):
    made = wild.session(kind="leading")
    wild.run(made, "bare")
    wild.post(f"/v1/sessions/{made}/statements", {"code": "start"})

    def cancel_when_it_runs(event):
        if event[1] == "statement" and (event[2]["id"], event[2]["state"]) == (1, "running"):
            assert wild.post(f"/v1/sessions/{made}/statements/1/cancel").status == 202
        return event[1] == "statement" and event[2]["state"] == "cancelled"

    seen = told(events(wild, f"/v1/sessions/{made}/events", until=cancel_when_it_runs), "statement")
    assert [s["state"] for s in seen if s["id"] == 1] == ["waiting", "running", "cancelling", "cancelled"]
    assert [s["outcome"] for s in seen if s["id"] == 0] == [None, None, "error"]
    wild.delete(f"/v1/sessions/{made}")


def test_lines_that_a_driver_writes_to_its_log_come_as_they_are_whole(server):
    made = server.session(kind="echo")
    path = f"/v1/sessions/{made}/events"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        def write(text):
            with open(session_log(server, made), "ab", buffering=0) as log:
                log.write(text)

        def feed(event):
            lines = told([event], "log")[0]["lines"] if event[1] == "log" else []
            if event[1] == "state":
                pool.submit(write, "first\nsec".encode())
            elif "first" in lines:
                assert "sec" not in lines
                pool.submit(write, "ond\r\nthird \xff\n".encode("latin-1"))
            return "third \ufffd" in lines

        seen = events(server, path, until=feed)
    lines = [line for log in told(seen, "log") for line in log["lines"]]
    assert lines == ["first", "second", "third \ufffd"]
    assert [log["from"] for log in told(seen, "log")][:2] == [0, 1]
    server.delete(f"/v1/sessions/{made}")


def test_a_stream_resumes_behind_the_last_event_that_the_client_had_also_after_the_end(server):
    made = server.session(kind="echo")
    path = f"/v1/sessions/{made}/events"
    with open(session_log(server, made), "a") as log:
        log.write("one\ntwo\nthree\n")
    server.run(made, "a")
    whole = events(server, path, until=lambda event: event[1] == "statement" and event[2]["outcome"])
    for had in range(len(whole) - 1):
        rest = events(server, path, {"Last-Event-ID": whole[had][0]}, until=lambda event: event[0] == whole[-1][0])
        for name in ("state", "statement", "log"):  # the log is in no order with the others
            assert told(rest, name) == told(whole[had + 1:], name)
    server.delete(f"/v1/sessions/{made}")
    rest = events(server, path, {"Last-Event-ID": whole[-1][0]})
    assert [name for _, name, _ in rest] == ["log", "state"] and ended(rest[-1])
    assert told(rest, "log") == [{"from": 3, "lines": ["hearth: session ends: deleted by a client"]}]


def test_who_comes_too_late_is_told_how_much_is_missed(server):
    made = server.session(kind="echo")
    for _ in range(100):
        server.run(made, "a")
    seen = events(server, f"/v1/sessions/{made}/events",
                  until=lambda event: event[1] == "statement" and (event[2]["id"], event[2]["outcome"]) == (99, "ok"))
    assert seen[0][1] == "missed" and seen[0][2]["events"] > 100
    assert len([e for e in seen if e[1] in ("state", "statement")]) <= 256
    server.delete(f"/v1/sessions/{made}")


def test_ids_from_the_future_are_no_reason_to_hang(server):
    made = server.session(kind="echo")
    deleted = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stream = pool.submit(events, server, f"/v1/sessions/{made}/events", {"Last-Event-ID": "100000-100000"})
        deleted.append(server.delete(f"/v1/sessions/{made}").status)
        assert [e[1] for e in stream.result(60)][-1] == "state"


@pytest.mark.parametrize("last", ["x", "1", "1-2-3", "-1-0", "1-", "99999999999999999999-0", "0-18446744073709551615"])
def test_an_event_id_of_another_server_is_refused(server, last):
    made = server.session(kind="echo")
    answer = server.get(f"/v1/sessions/{made}/events", headers={"Last-Event-ID": last})
    assert answer.status == 400 and "Last-Event-ID" in answer.json["detail"]
    server.delete(f"/v1/sessions/{made}")


def test_hundreds_of_followers_cost_no_thread_and_all_see_the_end(server):
    made = server.session(kind="echo")
    threads = server.threads()
    with contextlib.ExitStack() as ends:
        streams = [ends.enter_context(server.stream(f"/v1/sessions/{made}/events")) for _ in range(300)]
        for stream in streams:
            assert stream.readline().startswith(b"id: ")
        assert server.threads() == threads
        assert server.text(made, "still there") == "still there"
        server.delete(f"/v1/sessions/{made}")
        for stream in streams:
            assert b'"state":"dead"' in stream.read()


def test_no_session_no_events(server):
    assert server.get("/v1/sessions/987654/events").status == 404
