"""What a kernel may say, and in which order, whatever the session makes of it."""

import pytest


@pytest.fixture(scope="module")
def scripted(server):
    return server.session(kind="jupyter:scripted")


def v1(server, session, *steps):
    """The statement of these steps as /v1 shows it."""
    made = server.post(f"/sessions/{session}/statements", {"code": "\n".join(steps)}).json
    return server.get(f"/v1/sessions/{session}/statements/{made['id']}?wait=60s", timeout=70).json


@pytest.mark.parametrize("steps", [("out a", "ok 42", "idle"), ("result 42", "idle", "ok")])
def test_a_statement_is_over_after_reply_and_idle_in_any_order(server, scripted, steps):
    printed = "a\n" if steps[0] == "out a" else ""
    assert v1(server, scripted, *steps)["output"]["data"] == {"text/plain": printed + "42"}


def test_a_lost_idle_ends_the_statement_and_not_the_session(server, scripted):
    found = v1(server, scripted, "out before", "ok 1")
    assert found["outcome"] == "ok" and found["stdout"] == "before"
    assert any("not said that it is idle" in line for line in server.get(f"/sessions/{scripted}/log?size=50").json["log"])
    assert v1(server, scripted, "ok 2", "idle")["output"]["data"] == {"text/plain": "2"}


def test_forged_messages_are_dropped_and_named_in_the_log(server, scripted):
    found = v1(server, scripted, "noise", "forged evil", "out good", "ok", "idle")
    assert found["stdout"] == "good"
    log = server.get(f"/sessions/{scripted}/log?size=50").json["log"]
    assert any("its signature is wrong" in line for line in log) and any("no delimiter" in line for line in log)


def test_messages_about_widgets_and_of_later_protocols_do_no_harm(server, scripted):
    assert v1(server, scripted, "comm", "ok 1", "idle")["output"]["data"] == {"text/plain": "1"}


def test_what_is_printed_under_no_request_belongs_to_what_runs(server, scripted):
    assert v1(server, scripted, "orphan from C", "ok", "idle")["stdout"] == "from C"


def test_input_is_refused_also_for_kernels_that_ask_all_the_same(server, scripted):
    found = v1(server, scripted, "input", "ok 1", "idle")
    assert found["outcome"] == "error" and found["output"]["ename"] == "StdinNotImplementedError"
    assert "name? " in found["output"]["evalue"] and found["stdout"] == r"'\x04'"
    assert v1(server, scripted, "ok 1", "idle")["outcome"] == "ok"


def test_an_aborted_statement_is_no_success(server, scripted):
    assert v1(server, scripted, "abort", "idle")["outcome"] == "error"


def test_a_reply_that_is_no_json_ends_the_statement(server, scripted):
    found = v1(server, scripted, "raw {not json", "idle")
    assert found["outcome"] == "error" and "cannot be read" in found["output"]["evalue"]


def test_bad_text_in_a_reply_is_put_right(server, scripted):
    found = v1(server, scripted, 'raw {"status":"error","ename":"E","evalue":"a\\ud800b\xffc","traceback":["\\ud83d\\ude00"]}', "idle")
    assert found["output"]["evalue"] == "a\ufffdb\ufffdc" and found["output"]["traceback"] == ["\U0001f600"]


def test_interrupts_go_by_message_where_the_kernelspec_says_so(server, scripted):
    made = server.post(f"/sessions/{scripted}/statements", {"code": "out started\nwait\nabort\nidle"}).json["id"]
    server.until("it runs", lambda: server.get(f"/v1/sessions/{scripted}/statements/{made}").json["stdout"] == "started")
    server.post(f"/sessions/{scripted}/statements/{made}/cancel")
    assert server.finish(scripted, made, 20)["state"] == "cancelled"
    assert v1(server, scripted, "ok 1", "idle")["outcome"] == "ok", "the same kernel goes on"


def test_displays_are_kept_in_order_and_the_last_of_each_type_is_the_result(server, scripted):
    found = v1(server, scripted, "show a one", "show b two", "ok res", "idle")
    assert found["displays"] == [{"text/html": "one"}, {"text/html": "two"}]
    assert found["output"]["data"] == {"text/plain": "res", "text/html": "two"}


def test_a_changed_display_is_the_one_that_is_kept(server, scripted):
    found = v1(server, scripted, "show a one", "show b two", "change a three", "change nobody four", "ok", "idle")
    assert found["displays"] == [{"text/html": "three"}, {"text/html": "two"}]


def test_cleared_output_is_gone(server, scripted):
    found = v1(server, scripted, "show a one", "clear-wait", "show b two", "ok", "idle")
    assert found["displays"] == [{"text/html": "two"}]
    found = v1(server, scripted, "show a one", "clear-wait", "ok", "idle")
    assert found["displays"] == [{"text/html": "one"}], "nothing came in its place"
    found = v1(server, scripted, "show a one", "out x", "clear", "ok", "idle")
    assert found["displays"] == [] and found["output"]["data"] == {"text/plain": ""}


def test_kernelspec_and_session_set_variables_and_arguments(server, share):
    made = server.session(kind="jupyter:scripted", conf={"jupyter.env.MINE": "of the session"})
    try:
        steps = ("env SCRIPTED", "env MINE", "argument", "ok", "idle")
        assert v1(server, made, *steps)["stdout"] == f"from {server.folder}of the session{share}/kernels/scripted"
    finally:
        server.delete(f"/sessions/{made}")


def test_questions_never_wait_for_code(server, scripted):
    made = server.post(f"/sessions/{scripted}/statements", {"code": "out started\nwait\nabort\nidle"}).json["id"]
    server.until("it runs", lambda: server.get(f"/v1/sessions/{scripted}/statements/{made}").json["stdout"] == "started")
    answer = server.post(f"/sessions/{scripted}/completion", {"code": "ab", "kind": "jupyter:scripted", "cursor": 2}, timeout=5)
    assert answer.json == {"candidates": []}
    server.post(f"/sessions/{scripted}/statements/{made}/cancel")
    assert server.finish(scripted, made, 20)["output"] is None, "interrupted, and not restarted"
