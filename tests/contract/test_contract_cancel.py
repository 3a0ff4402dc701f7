"""Cancel: code stops or its interpreter is restarted, and nothing is called cancelled that still runs."""

import threading
import time

from contract_wire import in_parallel

SERVER_SETTINGS = {"cancel.grace": "1s"}


def post(server, session, code, **more):
    answer = server.post(f"/sessions/{session}/statements", {"code": code, **more})
    assert answer.status == 201
    return answer.json["id"]


def cancel(server, session, statement):
    return server.request("POST", f"/sessions/{session}/statements/{statement}/cancel")


def view(server, session, statement):
    return server.get(f"/sessions/{session}/statements/{statement}").json


def test_a_running_statement_stops_and_the_next_one_runs(server, session):
    running, after = post(server, session, "slow 600"), post(server, session, "after")
    answer = cancel(server, session, running)
    assert answer.status == 200 and answer.body == b'{"msg":"canceled"}'
    done = server.finish(session, running, 20)
    assert done["state"] == "cancelled" and done["progress"] == 1.0 and done["output"] is None
    assert 0 < done["started"] <= done["completed"]
    assert server.finish(session, after)["output"]["data"] == {"text/plain": "after"}
    assert server.get(f"/sessions/{session}/state").json["state"] == "idle"


def test_a_waiting_statement_never_runs(server, session):
    running, waiting, after = (post(server, session, code) for code in ("slow 1", "never", "after"))
    assert cancel(server, session, waiting).json == {"msg": "canceled"}
    assert view(server, session, waiting) == {
        "id": waiting, "code": "never", "state": "cancelled", "output": None, "progress": 1.0, "started": 0,
        "completed": view(server, session, waiting)["completed"]}
    assert view(server, session, running)["state"] == "running"
    assert server.finish(session, after)["output"]["status"] == "ok"
    assert server.finish(session, running)["output"]["status"] == "ok"
    assert view(server, session, waiting)["state"] == "cancelled"


def test_cancelling_what_is_over_or_never_was_is_answered_as_in_livy_and_changes_nothing(server, session):
    finished = post(server, session, "1")
    before = server.finish(session, finished)
    for statement in (finished, 999, 2147483647):
        answer = cancel(server, session, statement)
        assert answer.status == 200 and answer.json == {"msg": "canceled"}
    assert view(server, session, finished) == before
    assert cancel(server, session, "abc").status == 400
    assert server.text(session, "alive") == "alive"


def test_a_statement_cancelled_by_many_at_once_is_cancelled_once(server, session):
    running = post(server, session, "slow 600")
    answers = in_parallel(20, lambda _: cancel(server, session, running))
    assert {answer.status for answer in answers} == {200}
    assert server.finish(session, running, 20)["state"] == "cancelled"
    assert server.text(session, "after") == "after"


def test_code_that_does_not_stop_is_cancelling_until_its_interpreter_is_restarted(server):
    for kind in ("echo", "echoc"):
        session = server.session(kind=kind)
        running, after = post(server, session, "hang"), post(server, session, "after")
        server.until("it runs", lambda: view(server, session, running)["state"] == "running")
        started = time.monotonic()
        cancel(server, session, running)
        seen = view(server, session, running)
        assert seen["state"] == "cancelling" and seen["output"] is None and seen["completed"] == 0
        assert server.get(f"/sessions/{session}/state").json["state"] == "busy"
        done = server.finish(session, running, 20)
        # Not before the grace: it is true that the code still runs until then.
        assert time.monotonic() - started >= 0.9
        assert done["state"] == "cancelled"
        assert done["output"]["status"] == "error" and done["output"]["ename"] == "Cancelled"
        assert "restarted" in done["output"]["evalue"]
        assert server.finish(session, after)["output"]["data"] == {"text/plain": "after"}
        assert server.get(f"/sessions/{session}/state").json["state"] == "idle"
        log = "\n".join(server.get(f"/sessions/{session}/log?size=-1").json["log"])
        assert f"statement {running}" in log and "restarted" in log
        server.delete(f"/sessions/{session}")


def test_only_the_interpreter_that_hangs_is_restarted(server, session):
    assert server.text(session, "1", "echoc") == "1"
    running = post(server, session, "hang", kind="echo")
    server.until("it runs", lambda: view(server, session, running)["state"] == "running")
    cancel(server, session, running)
    server.finish(session, running, 20)
    answer = server.post(f"/sessions/{session}/completion", {"code": "ab", "kind": "echoc", "cursor": 2})
    assert answer.json == {"candidates": ["ab"]}  # a new one would have run nothing yet and have none
    assert server.text(session, "2", "echo") == "2"


def test_without_restart_code_that_hangs_stays_cancelling_and_the_session_can_be_deleted(make_server):
    with make_server({"cancel.grace": "200ms", "cancel.restart": "false"}) as server:
        made = server.session(kind="echo")
        running = post(server, made, "hang")
        server.until("it runs", lambda: view(server, made, running)["state"] == "running")
        cancel(server, made, running)
        server.until("the log says so", lambda: any(
            "still runs" in line for line in server.get(f"/sessions/{made}/log").json["log"]))
        assert view(server, made, running)["state"] == "cancelling"
        assert server.delete(f"/sessions/{made}").status == 200
        assert server.get(f"/v1/sessions/{made}/statements/{running}").json["state"] == "cancelled"


def test_a_delete_while_code_is_being_cancelled_is_answered(server):
    made = server.session(kind="echo")
    running = post(server, made, "hang")
    server.until("it runs", lambda: view(server, made, running)["state"] == "running")
    cancel(server, made, running)
    assert server.delete(f"/sessions/{made}", timeout=20).status == 200
    assert server.get(f"/v1/sessions/{made}/statements/{running}").json["state"] == "cancelled"


def test_cancel_and_end_may_race_and_the_statement_is_final(server, session):
    for _ in range(50):
        statement = post(server, session, "slow 0.005")
        cancel(server, session, statement)
        done = server.finish(session, statement, 20)
        assert (done["state"], done["output"] is None) in (("available", False), ("cancelled", True))
    assert server.text(session, "alive") == "alive"


def test_interrupt_stops_the_running_statement_and_keeps_the_session(server, session):
    running = post(server, session, "slow 600")
    server.until("it runs", lambda: view(server, session, running)["state"] == "running")
    answer = server.request("POST", f"/sessions/{session}/interrupt")
    assert answer.status == 200 and answer.json == {"msg": "interrupted"}
    assert server.finish(session, running, 20)["state"] == "cancelled"
    assert server.text(session, "alive") == "alive"
    assert server.request("POST", f"/sessions/{session}/interrupt").json == {"msg": "interrupted"}


def test_an_interpreter_that_dies_ends_its_statement_and_the_session_with_the_reason(server):
    for kind in ("echo", "echoc"):
        made = server.session(kind=kind)
        before, dying, after = (post(server, made, code) for code in ("slow 0.5", "die", "after"))
        server.until("it is dead", lambda: server.get(f"/sessions/{made}/state").json["state"] == "dead")
        seen = server.get(f"/v1/sessions/{made}").json
        assert seen["reason"] == "asked to die" and seen["ended"] and not seen["deleted"]
        done = view(server, made, dying)
        assert done["state"] == "available" and done["output"]["status"] == "error"
        assert done["output"]["ename"] == "Error" and done["output"]["evalue"].startswith("Interpreter died:")
        assert view(server, made, before)["output"]["status"] == "ok"
        assert view(server, made, after)["state"] == "cancelled"
        refused = server.post(f"/sessions/{made}/statements", {"code": "1"})
        assert refused.status == 400
        assert refused.json == "java.lang.IllegalStateException: Session is in state dead"
        server.delete(f"/sessions/{made}")


def test_a_second_kind_that_dies_costs_its_statement_and_not_the_session(server, session):
    dying = post(server, session, "die", kind="echoc")
    done = server.finish(session, dying)
    assert done["output"]["status"] == "error" and done["output"]["evalue"].startswith("Interpreter died:")
    assert server.text(session, "alive", "echo") == "alive"
    assert server.text(session, "new", "echoc") == "new"
    assert any("asked to die" in line for line in server.get(f"/sessions/{session}/log").json["log"])


def test_a_cancel_that_guesses_the_next_number_cannot_bring_a_statement_back_to_life(server, session):
    cancelled, over = {}, threading.Event()

    def guess():
        while not over.is_set():
            number = server.get(f"/sessions/{session}/statements?size=0").json["total_statements"]
            for guessed in (number - 1, number):
                cancel(server, session, guessed)
                answer = server.get(f"/sessions/{session}/statements/{guessed}")
                if answer.status == 200 and answer.json["state"] == "cancelled":
                    cancelled[guessed] = answer.json

    guessers = [threading.Thread(target=guess) for _ in range(4)]
    for guesser in guessers:
        guesser.start()
    posted = in_parallel(200, lambda _: post(server, session, "slow 0.002"), threads=4)
    for number in posted:
        server.finish(session, number)
    over.set()
    for guesser in guessers:
        guesser.join()
    assert cancelled
    for number, seen in cancelled.items():
        assert view(server, session, number) == seen
    assert server.text(session, "alive") == "alive"
