"""Sessions on Livy's face: shapes as in recorded exchanges with Livy, mistakes answered as mistakes."""

import json
import urllib.parse

import pytest

from contract_wire import in_parallel, send_raw

VIEW = ["id", "name", "appId", "owner", "proxyUser", "state", "kind", "appInfo", "log", "ttl", "idleTimeout",
        "driverMemory", "driverCores", "executorMemory", "executorCores", "conf", "archives", "files",
        "heartbeatTimeoutInSecond", "jars", "numExecutors", "pyFiles", "queue"]

DEFAULTS = {
    "appId": None, "owner": None, "proxyUser": None,
    "appInfo": {"driverLogUrl": None, "sparkUiUrl": None, "executorLogUrls": None},
    "ttl": None, "idleTimeout": None, "driverMemory": None, "driverCores": 0, "executorMemory": None,
    "executorCores": 0, "conf": {}, "archives": [], "files": [], "heartbeatTimeoutInSecond": 0, "jars": [],
    "numExecutors": 0, "pyFiles": [], "queue": None,
}


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def ids(answer):
    return [view["id"] for view in answer.json["sessions"]]


# ---- Creating -----------------------------------------------------------------------------------

def test_create_answers_201_with_livys_fields_in_livys_order(server):
    made = server.post("/sessions", {"kind": "echo", "name": "first"})
    assert made.status == 201
    assert made.headers["content-type"] == "application/json;charset=utf-8"
    view = made.json
    assert made.headers["location"] == f"/sessions/{view['id']}"
    assert list(view) == VIEW
    assert list(view["appInfo"]) == ["driverLogUrl", "sparkUiUrl", "executorLogUrls"]
    assert view["name"] == "first" and view["kind"] == "echo" and view["state"] in ("starting", "idle")
    assert {key: view[key] for key in DEFAULTS} == DEFAULTS
    assert isinstance(view["log"], list)
    assert made.body == compact(view)
    server.delete(made.headers["location"])


def test_every_field_of_a_create_request_is_shown_back(server):
    fields = {
        "kind": "echo", "proxyUser": "alice", "jars": ["hdfs:/a.jar"], "pyFiles": ["hdfs:/b.py"],
        "files": ["hdfs:/c"], "archives": ["hdfs:/d.zip#d"], "driverMemory": "1g", "driverCores": 2,
        "executorMemory": "2g", "executorCores": 3, "numExecutors": 4, "queue": "default",
        "name": "all of it é \" \\ \n", "conf": {"spark.b": "1", "spark.a": "x"},
        "heartbeatTimeoutInSecond": 600, "ttl": "1h", "idleTimeout": "30m"}
    made = server.post("/sessions", fields)
    assert made.status == 201
    assert {key: made.json[key] for key in fields} == fields
    again = server.get(made.headers["location"]).json
    assert {key: again[key] for key in fields} == fields
    server.delete(made.headers["location"])


def test_conf_values_that_are_numbers_or_booleans_become_text(server):
    conf = {"spark.x": 5, "spark.y": True, "spark.z": "text", "spark.w": 0.1}
    made = server.post("/sessions", {"kind": "echo", "conf": conf})
    assert made.json["conf"] == {"spark.x": "5", "spark.y": "true", "spark.z": "text",
                                 "spark.w": "0.1"}
    server.delete(made.headers["location"])


def test_null_fields_are_as_if_not_given(server):
    names = ("kind", "proxyUser", "jars", "pyFiles", "files", "archives", "driverMemory", "driverCores", "queue",
             "executorMemory", "executorCores", "numExecutors", "name", "conf", "heartbeatTimeoutInSecond", "ttl",
             "idleTimeout")
    made = server.post("/sessions", dict.fromkeys(names))
    assert made.status == 201
    assert {key: made.json[key] for key in DEFAULTS} == DEFAULTS
    assert made.json["kind"] == "shared" and made.json["name"] is None
    server.delete(made.headers["location"])


@pytest.mark.parametrize("kind", [{}, {"kind": "shared"}])
def test_a_session_without_a_kind_is_shared(server, kind):
    made = server.post("/sessions?wait=30s", kind)
    assert made.status == 201 and made.json["kind"] == "shared" and made.json["state"] == "idle"
    server.delete(made.headers["location"])


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_the_body_is_json_whatever_its_content_type_says(server, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    made = server.post("/sessions/", {"kind": "echo"}, headers=headers)
    assert made.status == 201
    server.delete(made.headers["location"])


def test_the_headers_of_livys_java_client_are_accepted(server):
    body = b'{"kind":"echo"}'
    answer = send_raw(server, b"POST /sessions/ HTTP/1.1\r\nHost: x\r\nContent-Encoding: UTF-8\r\n"
                              b"Content-Type: application/json\r\nExpect: 100-continue\r\nConnection: close\r\n"
                              b"X-Requested-By: livy\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n") or answer.startswith(b"HTTP/1.1 201")
    assert b"HTTP/1.1 201 Created\r\n" in answer


def test_ids_are_counted_up_and_never_reused(server):
    first = server.post("/sessions", {"kind": "echo"}).json["id"]
    assert server.delete(f"/sessions/{first}").status == 200
    second = server.post("/sessions", {"kind": "echo"}).json["id"]
    assert second == first + 1
    server.delete(f"/sessions/{second}")


def test_every_concurrent_create_gets_an_id_of_its_own(server):
    made = in_parallel(40, lambda _: server.post("/sessions", {"kind": "echo"}))
    assert {answer.status for answer in made} == {201}
    numbers = [answer.json["id"] for answer in made]
    assert len(set(numbers)) == 40
    in_parallel(40, lambda i: server.delete(f"/sessions/{numbers[i]}"))


@pytest.mark.parametrize("name", ["12", "0", ""])
def test_a_name_that_could_be_an_id_is_refused_and_makes_nothing(server, name):
    before = server.get("/sessions").json["total"]
    refused = server.post("/sessions", {"kind": "echo", "name": name})
    assert refused.status == 400
    assert refused.body == compact({"msg": f"Rejected, Reason: Invalid session name: {name}"})
    assert server.get("/sessions").json["total"] == before


def test_a_name_in_use_is_refused_and_free_again_after_delete(server):
    for _ in range(20):
        first = server.session(kind="echo", name="taken")
        server.delete(f"/sessions/{first}")
    first = server.session(kind="echo", name="taken")
    refused = server.post("/sessions", {"kind": "echo", "name": "taken"})
    assert refused.status == 400
    assert refused.json == {
        "msg": f"Rejected, Reason: Duplicate session name: Some(taken) for session {first}"}
    server.delete(f"/sessions/{first}")
    second = server.session(kind="echo", name="taken")
    assert server.get("/sessions/taken").json["id"] == second
    server.delete("/sessions/taken")


def test_of_many_that_race_for_a_name_one_gets_it(server):
    made = in_parallel(24, lambda _: server.post("/sessions", {"kind": "echo", "name": "raced"}))
    assert sorted(answer.status for answer in made) == [201] + [400] * 23
    assert server.delete("/sessions/raced").status == 200


@pytest.mark.parametrize("body, text", [
    (b'{"kind": ', "Unexpected end-of-input"),
    (b"", "No content to map due to end-of-input"),
    (b"   ", "No content to map due to end-of-input"),
    (b"[]", "JSON object"),
    (b'"echo"', "JSON object"),
    (b"{} {}", "more than one"),
    (b"{'kind': 1}", "JSON"),
    (b'{"kind": "cobol"}', "Invalid kind: cobol"),
    (b'{"kind": "ECHO"}', "Invalid kind: ECHO"),
    (b'{"kind": ""}', "Invalid kind"),
    (b'{"kind": 5}', '"kind" must be a string'),
    (b'{"kind": "echo", "nope": 1}', 'Unrecognized field "nope"'),
    (b'{"kind": "echo", "driverMemry": "1g"}', 'did you mean "driverMemory"'),
    (b'{"kind": "echo", "conf": "x"}', '"conf" must be'),
    (b'{"kind": "echo", "conf": {"a": null}}', '"conf" must be'),
    (b'{"kind": "echo", "conf": {"a": [1]}}', '"conf" must be'),
    (b'{"kind": "echo", "jars": "a.jar"}', '"jars" must be'),
    (b'{"kind": "echo", "jars": [1]}', '"jars" must be'),
    (b'{"kind": "echo", "numExecutors": "many"}', '"numExecutors" must be'),
    (b'{"kind": "echo", "numExecutors": -1}', '"numExecutors" must be'),
    (b'{"kind": "echo", "numExecutors": 1.5}', '"numExecutors" must be'),
    (b'{"kind": "echo", "driverCores": 99999999999}', '"driverCores" must be'),
    (b'{"kind": "echo", "name": {}}', '"name" must be a string'),
])
def test_a_wrong_body_is_400_with_a_json_string_that_says_why(server, body, text):
    before = server.get("/sessions").json["total"]
    refused = server.post("/sessions", body)
    assert refused.status == 400
    assert isinstance(refused.json, str) and text in refused.json
    assert server.get("/sessions").json["total"] == before


@pytest.mark.parametrize("field", ["ttl", "idleTimeout"])
@pytest.mark.parametrize("time", ["soon", "-1s", "1w", "1 h", "1.5h", "99999999999999999999s"])
def test_a_time_that_is_none_is_rejected(server, field, time):
    refused = server.post("/sessions", {"kind": "echo", field: time})
    assert refused.status == 400
    assert refused.json == {"msg": f"Rejected, Reason: Invalid time string: {time}"}


# ---- Reading ------------------------------------------------------------------------------------

def test_an_idle_session_reads_the_same_by_id_and_by_name(server):
    made = server.session(kind="echo", name="read me")
    by_id = server.get(f"/sessions/{made}")
    by_name = server.get("/sessions/read%20me")
    assert by_id.status == by_name.status == 200
    assert by_id.body == by_name.body
    assert list(by_id.json) == VIEW and by_id.json["state"] == "idle"
    assert server.get(f"/sessions/{made}/").body == by_id.body
    server.delete(f"/sessions/{made}")


def test_state_has_id_and_state_alone(server, session):
    answer = server.get(f"/sessions/{session}/state")
    assert answer.body == b'{"id":%d,"state":"idle"}' % session
    assert server.get(f"/sessions/{session}/state/").body == answer.body


@pytest.mark.parametrize("path", ["", "/state", "/log", "/logs", "/statements", "/statements/0"])
@pytest.mark.parametrize("name", ["999999", "-1", "nobody", "ünknown"])
def test_a_missing_session_is_404_in_the_words_that_clients_match(server, path, name):
    missing = server.get(f"/sessions/{urllib.parse.quote(name)}{path}")
    assert missing.status == 404
    assert missing.body == compact({"msg": f"Session '{name}' not found."})


def test_an_id_beyond_an_int_is_400_as_in_livy(server):
    answer = server.get("/sessions/99999999999999")
    assert answer.status == 400
    assert answer.body == compact({"msg": 'For input string: "99999999999999"'})


def test_the_list_pages_in_order_of_creation(server):
    start = server.get("/sessions?size=0").json["total"]
    made = [server.session(kind="echo") for _ in range(5)]
    everything = server.get("/sessions")
    assert list(everything.json) == ["from", "total", "sessions"]
    assert everything.json["from"] == 0 and everything.json["total"] == start + 5
    assert ids(everything)[-5:] == made
    assert all(list(view) == VIEW for view in everything.json["sessions"])
    assert everything.json["sessions"][-1] == server.get(f"/sessions/{made[-1]}").json
    assert ids(server.get(f"/sessions?from={start + 1}&size=2")) == made[1:3]
    assert ids(server.get(f"/sessions?from={start + 3}")) == made[3:]
    assert server.get("/sessions?size=0").body == b'{"from":0,"total":%d,"sessions":[]}' % (start + 5)
    assert server.get("/sessions?from=100").body == b'{"from":100,"total":%d,"sessions":[]}' % (start + 5)
    assert server.get("/sessions?from=-1&size=-1").body == b'{"from":-1,"total":%d,"sessions":[]}' % (start + 5)
    assert server.get("/sessions/").body == server.get("/sessions").body
    assert ids(server.get("/sessions?size=2147483647"))[-5:] == made
    assert server.get("/sessions?from=2147483647&size=2147483647").json["sessions"] == []
    for number in made:
        server.delete(f"/sessions/{number}")
    assert server.get("/sessions").json["total"] == start


@pytest.mark.parametrize("query", ["from=abc", "size=abc", "from=", "size=1.5", "from=99999999999", "size=0x10",
                                   "from=1e3"])
def test_a_number_that_is_none_is_400_with_livys_text(server, query):
    answer = server.get(f"/sessions?{query}")
    assert answer.status == 400
    assert answer.body == compact({"msg": f'For input string: "{query.split("=")[1]}"'})


# ---- Logs ---------------------------------------------------------------------------------------

def test_the_log_pages_by_lines_and_its_older_name_works(server, session):
    # Cancelling code that hangs writes to the session's log.
    for _ in range(4):
        made = server.post(f"/sessions/{session}/statements", {"code": "hang"}).json["id"]
        server.until("it runs", lambda: server.get(f"/sessions/{session}/statements/{made}").json["state"] == "running")
        server.post(f"/sessions/{session}/statements/{made}/cancel")
        server.finish(session, made)
    whole = server.get(f"/sessions/{session}/log?size=-1")
    assert list(whole.json) == ["id", "from", "total", "log"]
    lines = whole.json["log"]
    assert whole.json["id"] == session and whole.json["from"] == 0 and whole.json["total"] == len(lines) >= 4
    assert server.get(f"/sessions/{session}/log").json == whole.json
    assert server.get(f"/sessions/{session}/logs").body == server.get(f"/sessions/{session}/log").body
    assert server.get(f"/sessions/{session}/log/").json == whole.json

    def page(query):
        found = server.get(f"/sessions/{session}/log?{query}").json
        return found["from"], found["total"], found["log"]

    total = len(lines)
    assert page("from=1&size=2") == (1, total, lines[1:3])
    assert page("size=2") == (total - 2, total, lines[-2:])
    assert page("from=-1&size=2") == (total - 2, total, lines[-2:])
    assert page("from=0&size=-1") == (0, total, lines)
    assert page("size=0")[2] == []
    assert page("from=100000") == (100000, total, [])
    assert page("from=0&size=2147483647") == (0, total, lines)
    assert server.get(f"/sessions/{session}/log?from=abc").json == {"msg": 'For input string: "abc"'}
    # The view carries the last ten.
    assert server.get(f"/sessions/{session}").json["log"] == lines[-10:]


# ---- Connect, stop, delete ----------------------------------------------------------------------

def test_connect_shows_the_session(server, session):
    answer = server.request("POST", f"/sessions/{session}/connect")
    assert answer.status == 200
    assert answer.body == server.get(f"/sessions/{session}").body


def test_delete_ends_the_session_and_hides_it(server):
    made = server.session(kind="echo", name="to go")
    deleted = server.delete("/sessions/to%20go")
    assert deleted.status == 200 and deleted.body == b'{"msg":"deleted"}'
    for path in ("", "/state", "/log", "/statements"):
        gone = server.get(f"/sessions/{made}{path}")
        assert gone.status == 404 and gone.json == {"msg": f"Session '{made}' not found."}
    for method, path in (("DELETE", ""), ("POST", "/stop"), ("POST", "/connect"), ("POST", "/interrupt"),
                         ("POST", "/statements/0/cancel")):
        gone = server.request(method, f"/sessions/{made}{path}")
        assert gone.status == 404 and gone.json == {"msg": f"Session '{made}' not found."}
    refused = server.post(f"/sessions/{made}/statements", {"code": "1"})
    assert refused.status == 404
    assert made not in ids(server.get("/sessions"))
    assert server.get("/sessions/to%20go").status == 404


def test_a_session_deleted_twice_at_once_is_deleted(server):
    made = server.session(kind="echo")
    answers = in_parallel(16, lambda _: server.delete(f"/sessions/{made}"))
    assert {answer.status for answer in answers} <= {200, 404}
    assert [answer.status for answer in answers].count(200) >= 1
    assert server.get(f"/sessions/{made}").status == 404
    assert made not in ids(server.get("/sessions?size=2147483647"))


def test_a_session_that_still_starts_can_be_deleted(make_server, bad_plugins):
    with make_server({"session.launch_time": "5m"}, bad_plugins) as server:
        for kind in ("neveridle", "lateidle"):
            made = server.post("/sessions", {"kind": kind}).json["id"]
            number = server.post(f"/sessions/{made}/statements", {"code": "1"}).json["id"]
            assert server.delete(f"/sessions/{made}", timeout=20).body == b'{"msg":"deleted"}'
            assert server.get(f"/v1/sessions/{made}/statements/{number}").json["state"] == "cancelled"


def test_stop_ends_the_session_and_keeps_it_readable(server):
    made = server.session(kind="echo")
    server.run(made, "kept")
    stopped = server.request("POST", f"/sessions/{made}/stop")
    assert stopped.status == 204 and stopped.body == b""
    view = server.get(f"/sessions/{made}").json
    assert list(view) == VIEW and view["state"] == "dead"
    assert server.get(f"/sessions/{made}/state").body == b'{"id":%d,"state":"dead"}' % made
    assert server.get(f"/sessions/{made}/statements/0").json["output"]["data"] == {"text/plain": "kept"}
    assert server.get(f"/sessions/{made}/statements").json["total_statements"] == 1
    assert server.get(f"/sessions/{made}/log").status == 200
    assert server.request("POST", f"/sessions/{made}/stop").status == 204
    assert made in ids(server.get("/sessions?size=2147483647"))
    assert server.delete(f"/sessions/{made}").body == b'{"msg":"deleted"}'
    assert server.get(f"/sessions/{made}").status == 404


def test_a_dead_session_refuses_work_as_a_clients_mistake(server):
    made = server.session(kind="echo")
    server.run(made, "1")
    server.request("POST", f"/sessions/{made}/stop")
    for path, body in (("statements", {"code": "1"}), ("statements/0/cancel", {}), ("interrupt", {}),
                       ("completion", {"code": "e", "kind": "echo", "cursor": 1})):
        refused = server.post(f"/sessions/{made}/{path}", body)
        assert refused.status == 400
        assert refused.json == "java.lang.IllegalStateException: Session is in state dead"
    assert server.get(f"/sessions/{made}/statements").json["total_statements"] == 1
    server.delete(f"/sessions/{made}")


def test_delete_cancels_what_runs_and_waits(server):
    made = server.session(kind="echo")
    numbers = [server.post(f"/sessions/{made}/statements", {"code": code}).json["id"]
               for code in ("hang", "never", "never")]
    assert server.delete(f"/sessions/{made}").status == 200
    states = [server.get(f"/v1/sessions/{made}/statements/{number}").json["state"] for number in numbers]
    assert states == ["cancelled"] * 3


# ---- Methods and paths --------------------------------------------------------------------------

@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH", "TRACE", "BREW"])
def test_a_method_that_a_path_does_not_take_is_405_with_those_it_takes(server, session, method):
    answer = server.request(method, "/sessions")
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    answer = server.request(method, f"/sessions/{session}")
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "DELETE"}


def test_head_is_get_without_the_body(server, session):
    for path in ("/sessions", f"/sessions/{session}", f"/sessions/{session}/state", "/version"):
        head, get = server.request("HEAD", path), server.get(path)
        assert head.status == 200 and head.body == b""
        assert head.headers["content-length"] == str(len(get.body))
    assert server.request("HEAD", "/sessions/999999").status == 404


def test_a_post_can_say_that_it_is_a_delete(server):
    made = server.session(kind="echo")
    answer = server.request("POST", f"/sessions/{made}", headers={"X-HTTP-Method-Override": "DELETE"})
    assert answer.status == 200 and answer.body == b'{"msg":"deleted"}'


@pytest.mark.parametrize("path", ["/nothing", "/sessions/0/nothing", "/sessions/0/statements/0/nothing", "/ping",
                                  "//", "/sessions//log", "/Sessions"])
def test_an_unknown_path_is_404(server, path):
    assert server.get(path).status == 404


def test_a_near_miss_of_a_path_is_told_the_path(server):
    assert "did you mean /sessions" in server.get("/session").json["msg"]


def test_version_says_which_livy_it_can_do(server):
    answer = server.get("/version")
    assert answer.status == 200
    assert list(answer.json) == ["url", "branch", "revision", "version", "date", "user"]
    # Zeppelin reads major.minor to know what there is.
    assert answer.json["version"].startswith("0.10")


def test_livys_security_headers_come_with_every_answer(server):
    for path in ("/version", "/nothing"):
        headers = server.get(path).headers
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["x-xss-protection"] == "1; mode=block"
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize("accept, status", [
    ("application/vnd.livy.v0.1+json", 200), ("application/vnd.livy.v0.1", 200), ("*/*", 200), ("text/html", 200),
    ("application/json, */*", 200), ("application/vnd.livy.v0.2+json", 406), ("application/vnd.livy.v9", 406)])
def test_a_version_of_the_api_that_there_is_not_is_406(server, accept, status):
    assert server.get("/sessions", headers={"Accept": accept}).status == status
