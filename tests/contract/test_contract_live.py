"""What a statement shows while it runs: events, paged output, displays; questions that never wait; notebooks."""

import contextlib
import json

import nbformat
import pytest

from contract_wire import events


def test_a_statement_is_followed_in_the_order_in_which_it_showed_things(wild):
    made = wild.session(kind="leading")
    wild.run(made, "shows")
    seen = events(wild, f"/v1/sessions/{made}/statements/0/events")
    shown = [(name, data.get("text") or data.get("image/png") or data.get("text/html")) for _, name, data in seen[:-1]]
    assert sorted(map(str, shown)) == sorted(map(str, [
        ("output", "one\nthréé\n"), ("output", "two\n"), ("display", "AAAA"), ("display", "<b>x</b>")]))
    assert seen[-1][1] == "state" and seen[-1][2]["state"] == "available"
    assert seen[-1][2]["displays"] == [{"image/png": "AAAA"}, {"text/html": "<b>x</b>"}]


def test_a_live_client_gets_output_while_the_statement_runs_and_then_its_end(wild):
    made = wild.session(kind="leading")
    wild.post(f"/v1/sessions/{made}/statements", {"code": "start"})
    path = f"/v1/sessions/{made}/statements/0/events"
    seen = events(wild, path, until=lambda event: event[1] == "output")
    assert seen[-1][2] == {"stream": "stdout", "from": 0, "text": "begun\n"}
    resumed = events(wild, path, {"Last-Event-ID": seen[-1][0]}, until=lambda event: event[1] == "state")
    assert [event[1] for event in resumed] == ["state"], "nothing is sent twice"
    wild.delete(f"/v1/sessions/{made}")


def test_ends_of_a_session_end_its_event_streams(wild):
    made = wild.session(kind="leading")
    wild.post(f"/v1/sessions/{made}/statements", {"code": "start"})
    deleted = []

    def delete_then_read_on(event):
        if event[1] == "output" and not deleted:
            deleted.append(wild.delete(f"/v1/sessions/{made}").status)
        return False

    seen = events(wild, f"/v1/sessions/{made}/statements/0/events", until=delete_then_read_on)
    assert deleted == [204]
    assert seen[-1][1] == "state" and seen[-1][2]["state"] == "cancelled"


def test_a_stream_resumes_behind_the_last_event_that_the_client_had(wild):
    made = wild.session(kind="leading")
    wild.run(made, "shows")
    path = f"/v1/sessions/{made}/statements/0/events"
    whole = events(wild, path)
    for had in range(len(whole)):
        rest = events(wild, path, {"Last-Event-ID": whole[had][0]})
        assert [event[1:] for event in rest[:-1]] == [event[1:] for event in whole[had + 1:-1]]
        assert rest[-1][1] == "state"


@pytest.mark.parametrize("last", ["x", "1-2", "1-2-3-4", "-1-0-0", "99999999999999999999-0-0"])
def test_an_event_id_of_another_server_is_refused(wild, last):
    made = wild.session(kind="leading")
    wild.run(made, "shows")
    answer = wild.get(f"/v1/sessions/{made}/statements/0/events", headers={"Last-Event-ID": last})
    assert answer.status == 400 and "Last-Event-ID" in answer.json["detail"]


def test_a_hundred_thousand_events_from_the_future_are_no_reason_to_hang(wild):
    made = wild.session(kind="leading")
    wild.run(made, "shows")
    seen = events(wild, f"/v1/sessions/{made}/statements/0/events", {"Last-Event-ID": "100000-100000-100000"})
    assert [event[1] for event in seen] == ["state"]


def test_output_of_any_size_is_paged_whole_also_after_a_restart(make_server, bad_plugins):
    with make_server(plugins_dir=bad_plugins) as server:
        made = server.session(kind="leading")
        server.run(made, "flood")
        for _ in range(2):
            text, at, complete = "", 0, False
            while not complete:
                page = server.get(f"/v1/sessions/{made}/statements/0/output?from={at}&size=1000000").json
                assert page["from"] == at and page["total"] == 4096 * 1024
                text, at, complete = text + page["text"], page["next"], page["complete"]
            assert text == ("x" * 1023 + "\n") * 4096
            whole = server.get(f"/v1/sessions/{made}/statements/0/output/text")
            assert whole.body.decode() == text
            assert whole.headers["content-type"] == "text/plain; charset=utf-8"
            server.stop()
            server.start()


def test_a_page_never_cuts_a_character(wild):
    made = wild.session(kind="leading")
    wild.run(made, "shows")
    path = f"/v1/sessions/{made}/statements/0/output"
    page = wild.get(f"{path}?from=8&size=4").json  # in the middle of the first é
    assert (page["from"], page["text"]) == (9, "é\n")
    assert wild.get(f"{path}?stream=stderr").json["text"] == "two\n"
    assert wild.get(f"{path}?stream=both").status == 400
    assert wild.get(f"{path}?from=-1").status == 400
    beyond = wild.get(f"{path}?from=100000").json
    assert beyond["text"] == "" and beyond["complete"]


def test_questions_are_answered_while_a_statement_runs(wild):
    made = wild.session(kind="leading")
    wild.post(f"/v1/sessions/{made}/statements", {"code": "hang"})
    asked = {"code": "foo", "cursor": 3}
    assert wild.post(f"/v1/sessions/{made}/inspection", asked).json == {
        "found": True, "data": {"text/plain": "foo at 3, detail 0"}}
    assert wild.post(f"/v1/sessions/{made}/inspection", {**asked, "detail": 1}).json["data"]["text/plain"].endswith("1")
    assert wild.post(f"/v1/sessions/{made}/inspection", {**asked, "detail": 2}).status == 422
    assert wild.post(f"/v1/sessions/{made}/inspection", {"code": "foobar", "cursor": 0}).json == {
        "found": False, "data": {}}, "an answer that is no JSON does not break the reply"
    assert wild.get(f"/v1/sessions/{made}/shared").json == {"items": [{"name": "ak", "type": "rdd"}]}
    wild.delete(f"/sessions/{made}")
    assert wild.get(f"/v1/sessions/{made}/shared").status in (404, 409)


def test_a_kind_without_the_ability_has_nothing_to_say(server):
    made = server.session(kind="echo")
    assert server.post(f"/v1/sessions/{made}/inspection", {"code": "x", "cursor": 0}).json == {"found": False, "data": {}}
    assert server.get(f"/v1/sessions/{made}/shared").json == {"items": []}


def test_options_of_a_statement_reach_its_interpreter(wild):
    made = wild.session(kind="leading")
    path = f"/v1/sessions/{made}/statements?wait=20s"
    assert wild.post(path, {"code": "options", "options": {"maxRows": 7}}).json["output"]["data"] == {
        "application/json": {"maxRows": 7}}
    assert wild.post(path, {"code": "options"}).json["output"]["data"] == {"application/json": None}
    assert wild.post(path, {"code": "options", "options": 7}).status == 422


def test_the_rows_of_a_result_are_paged(wild):
    made = wild.session(kind="leading")
    result = {"schema": {"type": "struct", "fields": []}, "data": [[n] for n in range(60)]}
    wild.post(f"/v1/sessions/{made}/statements", {"code": "options", "options": result})
    wild.finish(made, 0)
    path = f"/v1/sessions/{made}/statements/0/rows"
    rows = []
    while len(rows) < 60:
        page = wild.get(f"{path}?from={len(rows)}&size=25").json
        assert page["from"] == len(rows) and page["total"] == 60 and page["rows"]
        assert page["columns"] == result["schema"] and page["mime"] == "application/json"
        rows += page["rows"]
    assert rows == result["data"]
    assert wild.get(f"{path}?from=60").json["rows"] == []
    assert wild.get(f"{path}?from=-1").status == 400
    wild.post(f"/v1/sessions/{made}/statements", {"code": "shows"})
    wild.finish(made, 1)
    answer = wild.get(f"/v1/sessions/{made}/statements/1/rows")
    assert answer.status == 409 and "has no rows" in answer.json["detail"]
    assert wild.get(f"/v1/sessions/{made}/statements/2/rows").status == 404
    wild.delete(f"/v1/sessions/{made}")


def test_a_session_exports_as_a_valid_notebook(wild):
    made = wild.session(kind="leading", name="export-me")
    for code in ("shows", "bare", "next", "badtext"):
        wild.run(made, code)
    wild.post(f"/v1/sessions/{made}/statements", {"code": "hang"})
    answer = wild.get(f"/v1/sessions/{made}/notebook")
    assert answer.headers["content-disposition"].endswith(f'session-{made}.ipynb"')
    notebook = nbformat.reads(answer.body.decode(), as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == ["shows", "bare", "next", "badtext", "hang"]
    kinds = [output.output_type for output in notebook.cells[0].outputs]
    assert kinds == ["stream", "stream", "display_data", "display_data", "execute_result"]
    assert notebook.cells[0].outputs[-1].data["text/plain"] == "res0", "what was printed is not shown twice"
    assert notebook.cells[1].outputs[0].output_type == "error"
    assert notebook.cells[4].outputs == []


def test_an_empty_session_is_an_empty_notebook(wild):
    made = wild.session(kind="leading")
    notebook = nbformat.reads(wild.get(f"/v1/sessions/{made}/notebook").body.decode(), as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells == []


def test_five_hundred_followers_cost_no_thread_and_all_see_the_end(wild):
    made = wild.session(kind="leading")
    wild.post(f"/v1/sessions/{made}/statements", {"code": "start"})
    before = wild.threads()
    with contextlib.ExitStack() as ends:
        streams = [ends.enter_context(wild.stream(f"/v1/sessions/{made}/statements/0/events")) for _ in range(500)]
        for stream in streams:
            assert stream.readline().startswith(b"id: ")
        assert wild.threads() <= before
        wild.delete(f"/v1/sessions/{made}")
        for stream in streams:
            assert b'"state":"cancelled"' in stream.read()
