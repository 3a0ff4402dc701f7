"""Statements on Livy's face: from the queue to the result, one at a time, in order, none lost."""

import json
import time

import pytest

from contract_wire import in_parallel

VIEW = ["id", "code", "state", "output", "progress", "started", "completed"]

SERVER_SETTINGS = {"statement.queue": "300"}


def post(server, session, code, **more):
    return server.post(f"/sessions/{session}/statements", {"code": code, **more})


def ids(answer):
    return [view["id"] for view in answer.json["statements"]]


# ---- One statement ------------------------------------------------------------------------------

def test_a_statement_has_livys_fields_in_livys_order_at_every_stage(server, session):
    running = post(server, session, "slow 0.5")
    assert running.status == 201
    assert running.headers["location"] == f"/sessions/{session}/statements/0"
    waiting = post(server, session, "second")
    assert waiting.status == 201
    for answer in (running, waiting):
        assert list(answer.json) == VIEW
        assert answer.json["output"] is None and answer.json["completed"] == 0
        assert b'"progress":0.0' in answer.body
    assert running.json["state"] in ("waiting", "running")
    assert waiting.json == {"id": 1, "code": "second", "state": "waiting", "output": None, "progress": 0.0,
                            "started": 0, "completed": 0}
    seen = server.get(f"/sessions/{session}/statements/0").json
    assert seen["state"] == "running" and seen["started"] > 1_700_000_000_000 and seen["completed"] == 0
    assert server.get(f"/sessions/{session}/state").json["state"] == "busy"

    done = server.finish(session, 1)
    assert list(done) == VIEW
    assert done["state"] == "available" and done["progress"] == 1.0
    assert done["output"] == {"status": "ok", "execution_count": 1, "data": {"text/plain": "second"}}
    assert list(done["output"]) == ["status", "execution_count", "data"]
    assert 1_700_000_000_000 < done["started"] <= done["completed"]
    first = server.get(f"/sessions/{session}/statements/0")
    assert first.json["completed"] <= done["started"]
    assert first.body == json.dumps(first.json, separators=(",", ":")).encode()
    assert server.get(f"/sessions/{session}/state").json["state"] == "idle"


@pytest.mark.parametrize("code", ["", " ", "é ü 漢字 🎉", "a\nb\r\nc\t", "\"quoted\" \\ back", "nul \u0000 inside",
                                  "\u2028 </script>", "x" * 1_000_000], ids=range(8))
def test_code_and_result_come_back_as_they_were(server, session, code):
    done = server.run(session, code)
    assert done["code"] == code
    assert done["output"]["data"]["text/plain"] == code


def test_failed_code_is_available_with_an_error(server, session):
    done = server.run(session, "fail")
    assert done["state"] == "available" and done["progress"] == 1.0
    assert list(done["output"]) == ["status", "execution_count", "ename", "evalue", "traceback"]
    assert done["output"] == {"status": "error", "execution_count": 0, "ename": "EchoError",
                              "evalue": "asked to fail", "traceback": []}
    assert server.text(session, "after") == "after"


def test_a_statement_that_the_plugin_refuses_is_an_error_and_the_next_runs(server, session):
    done = server.run(session, "throw")
    assert done["state"] == "available"
    assert done["output"] == {"status": "error", "execution_count": 0, "ename": "Error",
                              "evalue": "asked to throw", "traceback": []}
    assert server.text(session, "after") == "after"


def test_a_statement_can_be_posted_by_the_sessions_name(server):
    made = server.session(kind="echo", name="by name")
    answer = post(server, "by%20name", "1")
    assert answer.status == 201 and answer.headers["location"] == f"/sessions/{made}/statements/0"
    server.finish(made, 0)
    assert server.get("/sessions/by%20name/statements/0").json["output"]["data"] == {"text/plain": "1"}
    server.delete(f"/sessions/{made}")


def test_the_path_may_end_in_a_slash_and_the_body_be_called_text(server, session):
    body = '{"code": "7*6"}'
    answer = server.post(f"/sessions/{session}/statements/", body, headers={"Content-Type": "text/plain"})
    assert answer.status == 201
    assert server.finish(session, 0)["output"]["data"] == {"text/plain": "7*6"}
    assert server.get(f"/sessions/{session}/statements/0/").status == 200


def test_what_code_prints_is_no_field_of_livys_view(server, session):
    done = server.run(session, "print hello")
    assert list(done) == VIEW
    assert done["output"]["data"] == {"text/plain": "hello"}


@pytest.mark.parametrize("body, text", [
    (b'{"code": ', "Unexpected end-of-input"),
    (b"", "No content to map due to end-of-input"),
    (b"[]", "JSON object"),
    (b"{}", '"code" is needed'),
    (b'{"code": null}', '"code" is needed'),
    (b'{"code": 1}', '"code" must be a string'),
    (b'{"code": "1", "nope": 1}', 'Unrecognized field "nope"'),
    (b'{"code": "1", "kind": 1}', '"kind" must be a string'),
    (b'{"code": "1", "kind": "cobol"}', "Invalid kind: cobol"),
    (b'{"code": "1", "kind": "shared"}', "Invalid kind: shared"),
])
def test_a_wrong_body_is_400_and_makes_no_statement(server, session, body, text):
    refused = server.post(f"/sessions/{session}/statements", body)
    assert refused.status == 400
    assert isinstance(refused.json, str) and text in refused.json
    assert server.get(f"/sessions/{session}/statements").json["total_statements"] == 0


def test_a_null_kind_is_the_sessions(server, session):
    assert post(server, session, "1", kind=None).status == 201
    assert server.finish(session, 0)["output"]["status"] == "ok"


@pytest.mark.parametrize("number, status, body", [
    ("999", 404, b'"Statement not found"'),
    ("-1", 404, b'"Statement not found"'),
    ("abc", 400, b'{"msg":"For input string: \\"abc\\""}'),
    ("99999999999", 400, b'{"msg":"For input string: \\"99999999999\\""}'),
    ("1.0", 400, b'{"msg":"For input string: \\"1.0\\""}'),
    ("%20", 400, b'{"msg":"For input string: \\" \\""}'),
])
def test_a_statement_that_there_is_not_is_told_in_livys_words(server, session, number, status, body):
    answer = server.get(f"/sessions/{session}/statements/{number}")
    assert (answer.status, answer.body) == (status, body)


# ---- Kinds --------------------------------------------------------------------------------------

def test_one_session_runs_both_kinds_in_the_order_posted(server, session):
    for number in range(20):
        assert post(server, session, f"s{number}", kind=["echo", "echoc"][number % 2]).status == 201
    server.finish(session, 19)
    found = server.get(f"/v1/sessions/{session}/statements?size=100").json["statements"]
    assert [view["kind"] for view in found] == ["echo", "echoc"] * 10
    assert [view["output"]["data"]["text/plain"] for view in found] == [f"s{number}" for number in range(20)]
    assert [view["output"]["execution_count"] for view in found] == list(range(20))


def test_a_shared_session_takes_either_kind_but_needs_to_be_told(server):
    made = server.session()
    refused = post(server, made, "1")
    assert refused.status == 400 and "Code type should be specified if session kind is shared" in refused.json
    assert server.text(made, "a", "echo") == "a"
    assert server.text(made, "b", "echoc") == "b"
    server.delete(f"/sessions/{made}")


# ---- Lists --------------------------------------------------------------------------------------

def test_the_list_pages_both_ways(server, session):
    assert server.get(f"/sessions/{session}/statements").body == b'{"total_statements":0,"statements":[]}'
    for number in range(6):
        post(server, session, str(number))
    server.finish(session, 5)
    path = f"/sessions/{session}/statements"
    whole = server.get(path)
    assert list(whole.json) == ["total_statements", "statements"]
    assert whole.json["total_statements"] == 6 and ids(whole) == [0, 1, 2, 3, 4, 5]
    assert whole.json["statements"][3] == server.get(f"{path}/3").json
    assert ids(server.get(f"{path}?from=1&size=1")) == [1]
    assert ids(server.get(f"{path}?from=4")) == [4, 5]
    assert ids(server.get(f"{path}?size=2")) == [0, 1]
    assert ids(server.get(f"{path}?order=desc&size=2")) == [5, 4]
    assert ids(server.get(f"{path}?order=%20DESC%20&from=1&size=2")) == [4, 3]
    assert ids(server.get(f"{path}?order=asc")) == [0, 1, 2, 3, 4, 5]
    for nothing in ("size=0", "from=6", "from=2147483647", "size=-1", "from=-5&size=-5"):
        answer = server.get(f"{path}?{nothing}")
        assert answer.status == 200 and answer.json == {"total_statements": 6, "statements": []}
    for wrong in ("from=abc", "size=abc", "from=99999999999"):
        assert server.get(f"{path}?{wrong}").status == 400


def test_statements_beyond_a_hundred_stay(server, session):
    for number in range(150):
        assert post(server, session, str(number)).status == 201
    server.finish(session, 149)
    assert server.get(f"/sessions/{session}/statements").json["total_statements"] == 150
    assert server.get(f"/sessions/{session}/statements/3").json["output"]["data"] == {"text/plain": "3"}


# ---- Order --------------------------------------------------------------------------------------

def test_200_statements_from_8_clients_run_once_each_in_order_of_their_ids(server, session):
    made = in_parallel(200, lambda i: post(server, session, f"from client {i}"), threads=8)
    assert {answer.status for answer in made} == {201}
    assert sorted(answer.json["id"] for answer in made) == list(range(200))
    server.finish(session, 199)
    found = server.get(f"/sessions/{session}/statements").json["statements"]
    assert [view["id"] for view in found] == list(range(200))
    assert {view["state"] for view in found} == {"available"}
    code_of = {answer.json["id"]: answer.json["code"] for answer in made}
    for before, after in zip(found, found[1:]):
        assert before["completed"] <= after["started"]
    for view in found:
        assert view["output"]["data"]["text/plain"] == view["code"] == code_of[view["id"]]


def test_one_client_that_pipelines_gets_its_statements_in_order(server, session):
    for number in range(50):
        assert post(server, session, "slow 0.01").json["id"] == number
    server.finish(session, 49)
    found = server.get(f"/sessions/{session}/statements").json["statements"]
    for before, after in zip(found, found[1:]):
        assert before["completed"] <= after["started"]


def test_a_queue_full_of_refused_statements_is_worked_off(server, session):
    post(server, session, "slow 1")
    for _ in range(250):
        assert post(server, session, "throw").status == 201
    last = post(server, session, "last").json["id"]
    assert server.finish(session, last)["output"]["data"] == {"text/plain": "last"}


def test_statements_posted_while_the_session_starts_wait_for_it(server, bad_plugins, make_server):
    with make_server(plugins_dir=bad_plugins) as slow:
        made = slow.post("/sessions", {"kind": "lateidle"}).json["id"]
        answer = post(slow, made, "early")
        assert answer.status == 201 and answer.json["state"] == "waiting"
        assert slow.get(f"/sessions/{made}/state").json["state"] == "starting"
        assert slow.finish(made, 0)["output"]["status"] == "ok"


# ---- The queue's bound --------------------------------------------------------------------------

def test_a_full_queue_is_429_and_takes_more_when_there_is_room(make_server):
    with make_server({"statement.queue": "5"}) as server:
        made = server.session(kind="echo")
        post(server, made, "slow 600")
        server.until("it runs", lambda: server.get(f"/sessions/{made}/statements/0").json["state"] == "running")
        for _ in range(5):
            assert post(server, made, "next").status == 201
        refused = post(server, made, "too much")
        assert refused.status == 429 and int(refused.headers["retry-after"]) > 0
        assert "wait in this session" in refused.json["msg"]
        assert server.get(f"/sessions/{made}/statements").json["total_statements"] == 6
        server.post(f"/sessions/{made}/statements/0/cancel")
        server.finish(made, 5)
        assert server.text(made, "again") == "again"


def test_a_crowd_that_posts_at_once_cannot_overrun_the_queue(make_server):
    with make_server({"statement.queue": "20"}) as server:
        made = server.session(kind="echo")
        post(server, made, "slow 600")
        server.until("it runs", lambda: server.get(f"/sessions/{made}/statements/0").json["state"] == "running")
        answers = in_parallel(100, lambda _: post(server, made, "next"), threads=32)
        assert sorted(answer.status for answer in answers) == [201] * 20 + [429] * 80


# ---- Completion ---------------------------------------------------------------------------------

def test_completion_gives_the_kinds_candidates(server, session):
    answer = server.post(f"/sessions/{session}/completion", {"code": "ab", "kind": "echo", "cursor": 2})
    assert answer.status == 200 and answer.body == b'{"candidates":["ab1","ab2"]}'
    assert server.post(f"/sessions/{session}/completion", {"code": "x", "cursor": 1}).json == {
        "candidates": ["x1", "x2"]}


def test_completion_does_not_queue_behind_code(server, session):
    post(server, session, "slow 600")
    answer = server.post(f"/sessions/{session}/completion", {"code": "ab", "kind": "echo", "cursor": 2}, timeout=20)
    assert answer.json == {"candidates": ["ab1", "ab2"]}
    assert server.get(f"/sessions/{session}/statements/0").json["state"] == "running"


def test_completion_of_a_kind_that_has_not_run_yet_is_empty(server, session):
    answer = server.post(f"/sessions/{session}/completion", {"code": "ab", "kind": "echoc", "cursor": 2})
    assert answer.status == 200 and answer.json == {"candidates": []}


@pytest.mark.parametrize("body, text", [
    (b"{}", '"code" is needed'),
    (b'{"code": "a", "kind": "echo"}', '"cursor" is needed'),
    (b'{"code": "a", "kind": "echo", "cursor": -1}', '"cursor" must be'),
    (b'{"code": "a", "kind": "echo", "cursor": "1"}', '"cursor" must be'),
    (b'{"code": "a", "kind": "cobol", "cursor": 1}', "Invalid kind: cobol"),
    (b'{"code": "a", "kind": "echo", "cursor": 1, "nope": 1}', 'Unrecognized field "nope"'),
])
def test_a_wrong_completion_is_400(server, session, body, text):
    refused = server.post(f"/sessions/{session}/completion", body)
    assert refused.status == 400 and text in refused.json


# ---- Memory of results --------------------------------------------------------------------------

def test_results_that_are_not_kept_in_memory_are_answered_from_the_store(make_server):
    with make_server({"statement.cached": "0"}) as server:
        made = server.session(kind="echo")

        def one(number):
            done = server.post(f"/sessions/{made}/statements?wait=30s", {"code": f"n{number}"}).json
            assert done["state"] == "available" and done["output"]["data"] == {"text/plain": f"n{number}"}
            again = server.get(f"/sessions/{made}/statements/{done['id']}?wait=30s").json
            assert again == done
            return done["id"]

        assert sorted(in_parallel(100, one)) == list(range(100))
        whole = server.get(f"/sessions/{made}/statements").json
        assert whole["total_statements"] == 100
        assert {view["state"] for view in whole["statements"]} == {"available"}


# ---- Interpreters that misbehave ----------------------------------------------------------------

def test_a_statement_that_ends_twice_keeps_its_first_result(wild):
    made = wild.session(kind="leading")
    assert wild.run(made, "twice")["output"]["data"] == {"text/plain": "first"}
    assert wild.text(made, "next") == "ok"
    assert wild.get(f"/sessions/{made}/statements/0").json["output"]["data"] == {"text/plain": "first"}
    assert "plugin misbehaving" in wild.log.read_text()


def test_text_that_is_no_utf8_cannot_break_an_answer(wild):
    made = wild.session(kind="leading")
    assert wild.run(made, "badtext")["output"]["data"] == {"text/plain": "\ufffd("}
    assert wild.get(f"/v1/sessions/{made}/statements/0").json["stderr"] == "\ufffd\ufffd!"


def test_what_is_printed_is_kept_up_to_a_bound_and_the_cut_is_told(wild):
    made = wild.session(kind="leading")
    wild.run(made, "flood")
    printed = wild.get(f"/v1/sessions/{made}/statements/0").json["stdout"]
    assert printed == ("x" * 1023 + "\n") * 1024 + "\n[3145728 bytes more: GET the statement's /output]\n"


def test_an_error_without_a_word_still_has_the_fields_of_an_error(wild):
    made = wild.session(kind="leading")
    output = wild.run(made, "bare")["output"]
    assert list(output) == ["status", "execution_count", "ename", "evalue", "traceback"]
    assert output["evalue"] and output["traceback"] == []


def test_an_interpreter_that_fails_is_started_again_for_the_next_statement(wild):
    made = wild.session(kind="leading")
    done = wild.run(made, "error")
    assert done["state"] == "available" and done["output"]["status"] == "error"
    assert "asked to err" in done["output"]["evalue"]
    assert wild.text(made, "next") == "ok"
    assert any("asked to err" in line for line in wild.get(f"/sessions/{made}/log").json["log"])


def test_statements_behind_one_that_kills_a_followers_interpreter_run_on_a_new_one(wild):
    made = wild.session(kind="leading")
    numbers = [post(wild, made, code, kind="following").json["id"] for code in ("1", "lost", "2", "3")]
    wild.finish(made, numbers[-1])
    views = [wild.get(f"/sessions/{made}/statements/{number}").json for number in numbers]
    assert [view["output"]["status"] for view in views] == ["ok", "error", "ok", "ok"]
    assert "died" in views[1]["output"]["evalue"]


def test_a_follower_is_given_its_leaders_driver(wild):
    made = wild.session(kind="following")
    assert wild.output(made, "1") == {"text/plain": {"secret": "of the leader"}}
    made = wild.session(kind="leading")
    assert wild.output(made, "1", "following") == {"text/plain": {"secret": "of the leader"}}
    assert wild.output(made, "1", "leading") == {"text/plain": "ok"}


def test_the_followers_of_a_leader_that_failed_are_started_anew_with_it(wild):
    made = wild.session(kind="leading")
    wild.run(made, "1", "following")
    wild.run(made, "error", "leading")
    assert wild.output(made, "1", "following") == {"text/plain": {"secret": "of the leader"}}


def test_a_request_that_its_plugin_refuses_makes_no_session(wild):
    before = wild.get("/sessions").json["total"]
    refused = wild.post("/sessions", {"kind": "refusing"})
    assert refused.status == 400 and "asked to refuse" in str(refused.json)
    refused = wild.post("/v1/sessions", {"kind": "refusing", "name": "not taken"})
    assert refused.status == 422 and "asked to refuse" in refused.json["detail"]
    assert wild.get("/sessions").json["total"] == before
    wild.delete(f"/sessions/{wild.session(kind='leading', name='not taken')}")


@pytest.mark.parametrize("kind, reason", [("deadstart", "asked to die at once")])
def test_a_session_whose_interpreter_cannot_start_is_dead_with_the_reason(wild, kind, reason):
    made = wild.post("/sessions?wait=20s", {"kind": kind})
    assert made.status == 201
    view = wild.get(f"/v1/sessions/{made.json['id']}?wait=20s").json
    assert view["state"] == "dead" and reason in view["reason"]
    assert any(reason in line for line in wild.get(f"/sessions/{view['id']}/log").json["log"])


def test_a_session_that_does_not_become_ready_in_time_is_dead_with_the_reason(make_server, bad_plugins):
    with make_server({"session.launch_time": "500ms"}, bad_plugins) as server:
        made = server.post("/sessions?wait=30s", {"kind": "neveridle"}).json
        view = server.get(f"/v1/sessions/{made['id']}?wait=30s").json
        assert view["state"] == "dead" and "not ready within" in view["reason"]


@pytest.mark.parametrize("kind", ["refusing", "deadstart"])
def test_a_kind_that_cannot_start_fails_its_statement_and_not_the_session(wild, kind):
    made = wild.session(kind="leading")
    for number in range(3):
        output = wild.run(made, str(number), kind)["output"]
        assert output["ename"] == "InterpreterError" and "Fail to start interpreter" in output["evalue"]
    assert wild.text(made, "alive") == "ok"


def test_many_statements_of_a_kind_that_cannot_start_all_end(wild):
    made = wild.session(kind="leading")
    for _ in range(300):
        post(wild, made, "1", kind="refusing")
    wild.finish(made, 299)
    assert wild.text(made, "alive") == "ok"


def test_an_interpreter_that_does_not_close_is_killed_and_the_session_deleted(wild):
    made = wild.session(kind="neverclose")
    started = time.monotonic()
    assert wild.delete(f"/sessions/{made}").status == 200
    assert time.monotonic() - started < 30
    assert wild.get(f"/sessions/{made}").status == 404


def test_a_process_that_its_plugin_forgets_ends_with_the_session(wild):
    made = wild.session(kind="child")
    assert len(wild.children()) == 1
    view = wild.get(f"/sessions/{made}").json
    assert view["appId"] == "app-1" and view["appInfo"]["sparkUiUrl"] == "http://ui"
    wild.delete(f"/sessions/{made}")
    wild.until("the process is gone", lambda: not wild.children(), 10)
