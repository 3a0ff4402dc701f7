"""Batches on both faces, with tests/contract/spark in place of Spark: what is fast, or goes wrong."""

import concurrent.futures
import os
import pathlib
import signal
import uuid

import pytest

HERE = pathlib.Path(__file__).resolve().parent
FAKE = HERE / "spark"
SERVER_SETTINGS = {"spark.home": str(FAKE), "batch.kill_grace": "500ms", "batch.concurrent": "8"}
FINAL = {"success", "dead", "killed"}


def post(server, *args, path="/batches", headers=None, **fields):
    made = server.post(path, {"file": "/app.jar", "args": list(args), **fields}, headers=headers)
    assert made.status == 201, made
    return made.json


def finish(server, batch, timeout=60):
    """Waits for its end; as /v1 shows it."""
    view = server.get(f"/v1/batches/{batch}?wait={timeout}s", timeout=timeout + 10).json
    assert view["state"] in FINAL, view
    return view


def log(server, batch):
    return server.get(f"/v1/batches/{batch}/log?from=0&size=-1").json["log"]


@pytest.fixture
def make_batch_server(make_server):
    def make(settings=None, **more):
        return make_server({**SERVER_SETTINGS, **(settings or {})}, **more)
    return make


# ---- Livy's face

def test_livys_clients_find_the_fields_that_they_know_in_their_order(server):
    made = server.post("/batches", {"file": "/app.jar", "args": ["lines=20"], "name": "pi"})
    assert made.status == 201
    batch = made.json["id"]
    assert made.headers["location"] == f"/batches/{batch}"
    assert list(made.json) == ["id", "name", "owner", "proxyUser", "state", "appId", "appInfo", "log"]
    assert made.json["name"] == "pi" and made.json["owner"] is None
    assert list(made.json["appInfo"]) == ["driverLogUrl", "sparkUiUrl", "executorLogUrls"]
    ended = server.get(f"/batches/{batch}?wait=30s").json
    assert ended["state"] == "success"
    # The last ten lines, of which Livy's own heading is one.
    assert ended["log"] == [str(n) for n in range(12, 21)] + ["\nstderr: "]
    assert server.get(f"/batches/{batch}/state").json == {"id": batch, "state": "success"}
    assert server.delete(f"/batches/{batch}").json == {"msg": "deleted"}


def test_the_log_is_paged_with_livys_headings_and_whole_without(server):
    batch = post(server, "lines=1000")["id"]
    finish(server, batch)
    for path in ("log", "logs"):
        page = server.get(f"/batches/{batch}/{path}?from=0&size=3").json
        assert page == {"id": batch, "from": 0, "total": 1003,
                        "log": ["stdout: ", "application /app.jar", "1"]}
    tail = server.get(f"/batches/{batch}/log?size=2").json
    assert (tail["from"], tail["log"]) == (1001, ["1000", "\nstderr: "])
    assert server.get(f"/batches/{batch}/log?from=1&size=1").json["log"] == ["application /app.jar"]
    assert server.get(f"/batches/{batch}/log?from=5000").json["log"] == []
    assert len(server.get(f"/batches/{batch}/log?size=-1").json["log"]) == 1003
    assert log(server, batch) == ["application /app.jar"] + [str(n) for n in range(1, 1001)]
    middle = server.get(f"/v1/batches/{batch}/log?from=500&size=2").json
    assert (middle["total"], middle["log"]) == (1001, ["500", "501"])


@pytest.mark.parametrize("body, text", [
    ({}, "Rejected, Reason: requirement failed: File is required."),
    ({"file": "app.jar"}, "Rejected, Reason: requirement failed: Path 'app.jar' is not absolute."),
    ({"file": "/a.jar", "jars": ["b.jar"]},
     "Rejected, Reason: requirement failed: Path 'b.jar' is not absolute."),
    ({"file": "/a.jar", "name": "12"}, "Rejected, Reason: Invalid session name: 12"),
])
def test_what_livy_rejects_is_rejected_in_its_words(server, body, text):
    answer = server.post("/batches", body)
    assert (answer.status, answer.json) == (400, {"msg": text})
    problem = server.post("/v1/batches", body)
    assert problem.status == 422 and text.endswith(problem.json["detail"])


@pytest.mark.parametrize("body", [
    {"file": "/a.jar", "nope": 1}, {"file": "/a.jar", "kind": "spark"}, {"file": "/a.jar", "ttl": "1h"},
    {"file": "/a.jar", "env": {"A": "b"}}, {"file": "/a.jar", "pythonPath": "/usr/bin/python3"},
    {"file": 1}, {"file": "/a.jar", "args": [1]}, {"file": "/a.jar", "driverCores": "two"},
    {"file": "/a.jar", "args": "x"}, {"file": "/a\0.jar"}, {"file": "/a.jar", "args": ["a\0"]},
    {"file": "/a.jar", "className": "--conf"}, {"file": "/a.jar", "proxyUser": "-x"},
])
def test_a_wrong_field_is_the_clients_mistake(server, body):
    before = server.get("/batches").json["total"]
    answer = server.post("/batches", body)
    assert answer.status == 400 and isinstance(answer.json, str)
    assert server.get("/batches").json["total"] == before  # and leaves nothing behind


def test_no_json_is_refused_and_a_batch_that_is_not_there_is_not_found(server):
    assert server.post("/batches", '{"file": ').status == 400
    for path in ("/batches/999", "/batches/999/state", "/batches/999/log", "/batches/none"):
        name = path.split("/")[2]
        answer = server.get(path)
        assert (answer.status, answer.json) == (404, {"msg": f"Session '{name}' not found."})
    assert server.delete("/batches/999").status == 404
    assert server.get("/batches/99999999999").status == 400
    problem = server.get("/v1/batches/999")
    assert (problem.status, problem.json["detail"]) == (404, "there is no batch 999")


def test_a_name_serves_in_place_of_the_number_and_is_one_batchs_while_it_lives(server, tmp_path):
    gate = tmp_path / "gate"
    made = post(server, f"wait={gate}", name="mine")
    assert server.get("/batches/mine").json["id"] == made["id"]
    taken = server.post("/batches", {"file": "/b.jar", "name": "mine"})
    assert taken.status == 400
    assert taken.json["msg"] == f"Rejected, Reason: Duplicate session name: Some(mine) for session {made['id']}"
    assert server.post("/v1/batches", {"file": "/b.jar", "name": "mine"}).status == 409
    gate.touch()
    finish(server, made["id"])
    again = post(server, name="mine")
    finish(server, again["id"])
    assert server.get("/batches/mine").json["id"] == again["id"]


def test_lists_are_paged_and_counted(server):
    made = [post(server)["id"] for _ in range(3)]
    for batch in made:
        finish(server, batch)
    whole = server.get("/batches?size=1000").json
    assert [view["id"] for view in whole["sessions"]][-3:] == made
    page = server.get(f"/batches?from={whole['total'] - 2}&size=1").json
    assert [view["id"] for view in page["sessions"]] == [made[1]]
    assert server.get("/batches?size=0").json["sessions"] == []
    own = server.get(f"/v1/batches?from={server.get('/v1/batches?deleted=true').json['total'] - 1}&deleted=true")
    assert own.json["batches"][0]["id"] == made[2]


# ---- ends

@pytest.mark.parametrize("words, state, reason", [
    ([], "success", None),
    (["error=boom", "exit=3"], "dead", "exit status 3"),
    (["signal=KILL"], "dead", "ended by SIGKILL"),
    (["signal=SEGV"], "dead", "ended by SIGSEGV"),
])
def test_an_application_that_ends_says_how(server, words, state, reason):
    batch = post(server, *words)["id"]
    view = finish(server, batch)
    assert (view["state"], view["reason"]) == (state, reason)
    assert view["created"] <= view["submitted"] <= view["ended"]
    if "error=boom" in words:
        assert "boom" in log(server, batch)


@pytest.mark.parametrize("deaf", [False, True], ids=["obeys", "deaf"])
def test_delete_ends_the_application_and_answers_when_it_is_gone(server, tmp_path, deaf):
    record = tmp_path / "record"
    batch = post(server, f"record={record}", *(["deaf"] if deaf else []), f"wait={tmp_path / 'never'}")["id"]
    pid = int(server.until("the application runs", lambda: record.exists() and record.read_text()).split()[0])
    assert server.delete(f"/batches/{batch}").json == {"msg": "deleted"}
    assert not os.path.exists(f"/proc/{pid}")
    gone = server.get(f"/batches/{batch}")
    assert (gone.status, gone.json) == (404, {"msg": f"Session '{batch}' not found."})
    assert server.delete(f"/batches/{batch}").status == 404
    view = server.get(f"/v1/batches/{batch}").json
    assert (view["state"], view["deleted"], view["reason"]) == ("killed", True, "deleted by a client")


def test_deletes_that_come_together_are_all_answered(server, tmp_path):
    batch = post(server, "deaf", f"wait={tmp_path / 'never'}")["id"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [a.status for a in pool.map(lambda _: server.delete(f"/batches/{batch}"), range(8))]
    assert set(answers) <= {200, 404} and 200 in answers
    assert server.get(f"/v1/batches/{batch}").json["state"] == "killed"


def test_what_cannot_be_started_is_dead_and_says_why(make_batch_server, tmp_path):
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    submit = home / "bin" / "spark-submit"
    submit.write_text("#!/nonexistent\n")
    submit.chmod(0o755)
    with make_batch_server({"spark.home": str(home)}) as server:
        view = finish(server, post(server)["id"])
        assert view["state"] == "dead" and "cannot start" in view["reason"]


def test_without_a_spark_the_refusal_says_how_to_name_one(make_batch_server):
    env = {name: "" for name in ("SPARK_HOME",)}
    with make_batch_server({"spark.home": ""}, env=env) as server:
        answer = server.post("/v1/batches", {"file": "/a.jar"})
        assert answer.status == 422 and "spark.home" in answer.json["detail"]


# ---- what the application gets

def test_every_field_reaches_the_application(server):
    batch = post(server, "properties", "two words", "$(id) ; `id` 'q\"", "", path="/v1/batches",
                 className="org.x.Main", name=f"n{uuid.uuid4()}", proxyUser="ann", jars=["/a.jar", "hdfs:///b.jar"],
                 pyFiles=["/p.py"], files=["/f#g"], archives=["/z.zip#z"], driverMemory="2g", driverCores=2,
                 executorMemory="3g", executorCores=4, numExecutors=5, queue="q",
                 conf={"spark.jars": "/c.jar", "spark.x": "y z", "livy.uri": "no", "spark.n": 7})["id"]
    finish(server, batch)
    text = log(server, batch)
    for line in ("option --class org.x.Main", "option --proxy-user ann", "argument two words",
                 "argument $(id) ; `id` 'q\"", "argument ", "spark.jars=/a.jar,hdfs:///b.jar,/c.jar",
                 "spark.submit.pyFiles=/p.py", "spark.files=/f#g", "spark.archives=/z.zip#z",
                 "spark.driver.memory=2g", "spark.driver.cores=2", "spark.executor.memory=3g",
                 "spark.executor.cores=4", "spark.executor.instances=5", "spark.yarn.queue=q",
                 "spark.x=y z", "spark.n=7", "spark.master=local[*]"):
        assert line in text, (line, text)
    assert not any("livy.uri" in line for line in text)
    # Spark takes an empty deploy mode for a wrong one.
    assert not any(line.startswith("spark.") and line.endswith("=") for line in text)


def test_the_environment_and_the_python_of_a_batch_are_its_own(server):
    batch = post(server, "environment", "properties", path="/v1/batches",
                 env={"MY_TOKEN": "s3cret", "N": 5}, pythonPath="/opt/py/bin/python")["id"]
    view = finish(server, batch)
    text = log(server, batch)
    assert "MY_TOKEN=s3cret" in text and "N=5" in text
    assert "PYSPARK_PYTHON=/opt/py/bin/python" in text
    assert "spark.pyspark.python=/opt/py/bin/python" in text
    assert view["env"] == ["MY_TOKEN", "N"] and "s3cret" not in str(view)
    assert not any(line.startswith("HEARTH_") for line in text)


@pytest.mark.parametrize("name", ["SPARK_HOME", "LD_PRELOAD", "JAVA_TOOL_OPTIONS", "PATH", "a b", "1A", ""])
def test_what_the_deployment_sets_is_not_a_batchs_to_set(server, name):
    answer = server.post("/v1/batches", {"file": "/a.jar", "env": {name: "x"}})
    assert answer.status == 422 and "env" in answer.json["detail"]


def test_no_setting_is_on_a_command_line_or_in_a_file_that_others_read(server, tmp_path):
    secret = f"hush{uuid.uuid4().hex}"
    record, gate = tmp_path / "record", tmp_path / "gate"
    batch = post(server, f"record={record}", f"wait={gate}", path="/v1/batches",
                 conf={"spark.my.password": secret}, env={"MY_SECRET": secret})["id"]
    server.until("the application runs", record.exists)
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                assert secret.encode() not in (entry / "cmdline").read_bytes()
            except OSError:
                pass
    folder = server.data / "batches" / str(batch)
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.rglob("*"):
        if file.is_file():
            assert file.stat().st_mode & 0o077 == 0, file
    for path in (f"/batches/{batch}", f"/v1/batches/{batch}", "/batches", "/v1/batches"):
        assert secret not in server.get(path).body.decode()
    gate.touch()
    finish(server, batch)
    assert secret not in server.log.read_text()
    assert not (folder / "spark.properties").exists()  # no longer than it is needed


# ---- the queue

def test_a_burst_is_accepted_waits_and_ends(make_batch_server, tmp_path):
    gate, record = tmp_path / "gate", tmp_path / "record"
    with make_batch_server({"batch.concurrent": "2"}) as server:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            made = list(pool.map(
                lambda n: post(server, f"record={record}", f"wait={gate}", path="/v1/batches"), range(50)))
        states = [server.get(f"/v1/batches/{view['id']}").json for view in made]
        waiting = [view for view in states if view["state"] == "not_started"]
        assert len(waiting) == 48
        assert sorted(view["queuePosition"] for view in waiting) == list(range(48))
        assert all(view["queuePosition"] is None for view in states if view not in waiting)
        assert server.get(f"/batches/{waiting[0]['id']}/state").json["state"] == "not_started"
        server.until("two run", lambda: len(record.read_text().splitlines()) == 2)
        assert server.threads() < 40
        gate.touch()
        assert all(finish(server, view["id"])["state"] == "success" for view in made)
        assert len(record.read_text().splitlines()) == 50


def test_users_take_turns_whoever_posted_more(make_batch_server, tmp_path):
    gate, record = tmp_path / "gate", tmp_path / "record"
    with make_batch_server({"batch.concurrent": "1"}) as server:
        post(server, f"wait={gate}")
        ids = [post(server, f"record={record}", file=f"/{user}{n}", proxyUser=user)["id"]
               for user, count in (("ann", 10), ("bob", 5)) for n in range(count)]
        positions = {view["file"]: view["queuePosition"] for view in
                     (server.get(f"/v1/batches/{batch}").json for batch in ids)}
        gate.touch()
        for batch in ids:
            finish(server, batch)
        order = [line.split()[1] for line in record.read_text().splitlines()]
        expected = [name for n in range(5) for name in (f"/ann{n}", f"/bob{n}")] + [f"/ann{n}" for n in range(5, 10)]
        assert order == expected
        assert sorted(positions, key=positions.get) == expected  # as they were told


def test_a_full_queue_says_when_to_come_again(make_batch_server, tmp_path):
    gate = tmp_path / "gate"
    with make_batch_server({"batch.concurrent": "1", "batch.queue": "3"}) as server:
        made = []
        first = post(server, f"wait={gate}")["id"]
        server.until("the first runs", lambda: server.get(f"/batches/{first}/state").json["state"] == "running")
        made = [post(server)["id"] for _ in range(3)]
        refused = server.post("/v1/batches", {"file": "/a.jar"})
        assert refused.status == 429 and refused.headers["retry-after"]
        assert server.post("/batches", {"file": "/a.jar"}).status == 429
        gate.touch()
        for batch in made:
            finish(server, batch)
        finish(server, post(server)["id"])


def test_a_batch_that_waits_can_be_deleted_and_never_runs(make_batch_server, tmp_path):
    gate, record = tmp_path / "gate", tmp_path / "record"
    with make_batch_server({"batch.concurrent": "1"}) as server:
        first = post(server, f"wait={gate}")["id"]
        waits = post(server, f"record={record}")["id"]
        assert server.delete(f"/batches/{waits}").status == 200
        assert server.get(f"/v1/batches/{waits}").json["state"] == "killed"
        gate.touch()
        finish(server, first)
        finish(server, post(server)["id"])
        assert not record.exists()


# ---- idempotency

@pytest.mark.parametrize("face", ["", "/v1"], ids=["livy", "v1"])
def test_the_same_request_with_the_same_key_is_one_application(server, tmp_path, face):
    record = tmp_path / "record"
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"file": "/app.jar", "args": [f"record={record}"], "conf": {"spark.b": "1", "spark.a": "2"}}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.post(face + "/batches", body, headers=key), range(8)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    batch = answers[0].json["id"]
    finish(server, batch)
    again = server.post(face + "/batches", dict(reversed(body.items())), headers=key)
    assert (again.status, again.json["id"], again.json["state"]) == (201, batch, "success")
    assert again.headers["idempotency-replayed"] == "true"
    other = server.post(face + "/batches", {**body, "args": []}, headers=key)
    assert other.status == 422 and "Idempotency-Key" in str(other.json)
    server.delete(f"/batches/{batch}")
    assert server.post(face + "/batches", body, headers=key).json["id"] == batch
    assert len(record.read_text().splitlines()) == 1


def test_a_refused_request_does_not_use_its_key_up(server):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    name = f"n{uuid.uuid4()}"
    assert server.post("/v1/batches", {"name": name}, headers=key).status == 422
    finish(server, post(server, headers=key)["id"])
    assert server.post("/v1/batches", {"file": "/a"}, headers={"Idempotency-Key": "x" * 256}).status == 400


@pytest.mark.parametrize("face", ["", "/v1"], ids=["livy", "v1"])
def test_sessions_take_a_key_too(server, face):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: server.post(face + "/sessions", {"kind": "echo"}, headers=key), range(4)))
    assert {answer.status for answer in answers} == {201}
    session, = {answer.json["id"] for answer in answers}
    assert server.post(face + "/sessions", {"kind": "echoc"}, headers=key).status == 422
    server.delete(f"/sessions/{session}")
    late = server.post(face + "/sessions", {"kind": "echo"}, headers=key)
    assert (late.status, late.json["id"]) == (201, session)


# ---- restarts

def test_an_application_outlives_the_host_and_its_end_is_told(make_batch_server, tmp_path):
    gate = tmp_path / "gate"
    records = [tmp_path / f"record{n}" for n in range(4)]
    server = make_batch_server({"batch.concurrent": "3"}).start()
    runs = post(server, f"record={records[0]}", f"wait={gate}", "lines=3")["id"]
    fails = post(server, f"record={records[1]}", f"wait={gate}", "exit=4")["id"]
    meanwhile = post(server, f"record={records[2]}", f"wait={tmp_path / 'early'}", "exit=5")["id"]
    waits = post(server, f"record={records[3]}")["id"]
    for record in records[:3]:
        server.until("it runs", record.exists)
    server.kill()
    (tmp_path / "early").touch()
    ended = server.data / "batches" / str(meanwhile) / "1.end"
    server.until("one ends while no host is there", ended.exists)
    server.start()
    assert finish(server, meanwhile)["reason"] == "exit status 5"
    finish(server, waits)  # its turn has come
    for batch in (runs, fails):
        assert server.get(f"/batches/{batch}/state").json["state"] == "running"
    gate.touch()
    assert finish(server, runs)["state"] == "success"
    assert finish(server, fails)["reason"] == "exit status 4"
    assert log(server, runs)[-3:] == ["1", "2", "3"]
    assert [len(record.read_text().splitlines()) for record in records] == [1, 1, 1, 1]
    last = post(server)["id"]
    assert last > waits
    finish(server, last)  # none is to be left behind


def test_a_delete_that_the_host_did_not_live_to_finish_is_finished(make_batch_server, tmp_path):
    record = tmp_path / "record"
    server = make_batch_server({"batch.kill_grace": "30s"}).start()
    batch = post(server, f"record={record}", "deaf", f"wait={tmp_path / 'never'}")["id"]
    server.until("it runs", record.exists)
    pid = int(record.read_text().split()[0])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        delete = pool.submit(lambda: server.delete(f"/batches/{batch}"))
        server.until("its end is asked for", lambda: server.get(f"/v1/batches/{batch}").json["state"] == "shutting_down")
        server.kill()
        assert delete.exception() is not None
    server.start()
    assert server.get(f"/v1/batches/{batch}").json["state"] == "shutting_down"
    os.kill(pid, signal.SIGKILL)
    view = finish(server, batch)
    assert (view["state"], view["deleted"]) == ("killed", True)
    assert server.get(f"/batches/{batch}").status == 404


def test_a_key_holds_across_a_restart(make_batch_server, tmp_path):
    record = tmp_path / "record"
    key = {"Idempotency-Key": "once"}
    body = {"file": "/app.jar", "args": [f"record={record}"]}
    server = make_batch_server().start()
    batch = server.post("/batches", body, headers=key).json["id"]
    session = server.post("/sessions", {"kind": "echo"}, headers=key).json["id"]
    server.kill()  # perhaps before it was submitted
    server.start()
    assert server.post("/batches", body, headers=key).json["id"] == batch
    assert server.post("/sessions", {"kind": "echo"}, headers=key).json["id"] == session
    assert server.post("/batches", {"file": "/other"}, headers=key).status == 422
    finish(server, batch)
    assert len(record.read_text().splitlines()) == 1


def test_kills_at_any_moment_lose_no_batch_and_run_none_twice(make_batch_server, tmp_path):
    record = tmp_path / "record"
    server = make_batch_server({"batch.concurrent": "2"}).start()
    made = []
    for n in range(6):
        for m in range(4):
            made.append((post(server, f"record={record}", file=f"/{n}.{m}")["id"], f"/{n}.{m}"))
        server.kill()
        server.start()
    for batch, _ in made:
        assert finish(server, batch)["state"] == "success"
    ran = [line.split()[1] for line in record.read_text().splitlines()]
    assert sorted(ran) == sorted(name for _, name in made)


def test_a_stop_leaves_applications_running_unless_it_is_to_end_them(make_batch_server, tmp_path):
    gate, record = tmp_path / "gate", tmp_path / "record"
    server = make_batch_server().start()
    batch = post(server, f"record={record}", f"wait={gate}")["id"]
    server.until("it runs", record.exists)
    assert server.stop() == 0
    gate.touch()
    server.settings["batch.on_shutdown"] = "kill"
    server.start()
    assert finish(server, batch)["state"] == "success"
    second = tmp_path / "second"
    killed = post(server, f"record={second}", "deaf", f"wait={tmp_path / 'never'}")["id"]
    server.until("it runs", second.exists)
    assert server.stop() == 0
    assert not os.path.exists(f"/proc/{second.read_text().split()[0]}")
    server.start()
    view = server.get(f"/v1/batches/{killed}").json
    assert (view["state"], view["reason"]) == ("killed", "the server was stopped")


# ---- upload

def form(parts, boundary="xyz"):
    body = b""
    for name, file_name, content in parts:
        file_part = f'; filename="{file_name}"' if file_name is not None else ""
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file_part}\r\n\r\n'.encode()
                 + content + b"\r\n")
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def upload(server, parts, headers=None):
    body, own = form(parts)
    return server.request("POST", "/v1/batches", body, headers={**own, **(headers or {})})


def test_an_application_comes_with_its_request(server):
    content = b"line one\nline two\r\n--xyzzy\n" + bytes(range(256)) * 40 + b"\n"
    made = upload(server, [("request", None, b'{"args":["content","properties"]}'),
                           ("file", "app.py", content), ("jars", "a.jar", b"A"), ("jars", "b.jar", b"B"),
                           ("pyFiles", "p.py", b"P")])
    assert made.status == 201, made
    batch = made.json["id"]
    view = finish(server, batch)
    folder = server.data / "batches" / str(batch) / "files"
    assert view["file"] == str(folder / "app.py")
    assert (folder / "app.py").read_bytes() == content
    assert f"spark.jars={folder}/a.jar,{folder}/b.jar" in log(server, batch)
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in folder.iterdir())


def test_an_upload_with_a_key_is_made_once(server):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    parts = [("file", "app.py", b"pass"), ("request", None, b"{}")]
    first = upload(server, parts, key)
    again = upload(server, parts, key)
    assert (first.status, again.status) == (201, 201) and first.json["id"] == again.json["id"]
    assert upload(server, [("file", "app.py", b"other")], key).status == 422
    finish(server, first.json["id"])


@pytest.mark.parametrize("parts, status", [
    ([("file", "../evil.py", b"x")], 422), ([("file", "a/b.py", b"x")], 422), ([("file", "..", b"x")], 422),
    ([("file", "a,b.py", b"x")], 422), ([("file", "a#b.py", b"x")], 422), ([("file", ".hidden", b"x")], 422),
    ([("file", "-x.py", b"x")], 422), ([("file", None, b"x")], 422), ([("file", "", b"x")], 422),
    ([("file", "a.py", b"x"), ("file", "b.py", b"y")], 422),
    ([("file", "a.py", b"x"), ("request", None, b'{"file":"/b.py"}')], 422),
    ([("jars", "a.jar", b"x"), ("file", "a.jar", b"x")], 422),
    ([("jars", "a.jar", b"x")], 422), ([("other", "a.jar", b"x")], 422),
    ([("request", None, b"{")], 400), ([("request", None, b'{"nope":1}')], 422),
    ([("request", None, b"{}"), ("request", None, b"{}")], 422),
    ([("files", f"f{n}", b"x") for n in range(101)], 413),
])
def test_a_form_that_is_not_right_is_refused(server, parts, status):
    before = server.get("/v1/batches?deleted=true").json["total"]
    assert upload(server, parts).status == status
    assert server.get("/v1/batches?deleted=true").json["total"] == before


def test_a_form_that_breaks_off_or_is_too_large_is_refused(make_batch_server):
    with make_batch_server({"batch.upload_bytes": "1k"}) as server:
        body, headers = form([("file", "app.py", b"x" * 500)])
        assert server.request("POST", "/v1/batches", body[:-20], headers=headers).status == 400
        assert server.request("POST", "/v1/batches", body, headers={"Content-Type": "multipart/form-data"}).status == 400
        assert server.request("POST", "/v1/batches", body, headers=headers).status == 201
        body, headers = form([("file", "app.py", b"x" * 1025)])
        assert server.request("POST", "/v1/batches", body, headers=headers).status == 413
        server.until("it has ended", lambda: server.get("/v1/batches").json["batches"][0]["state"] in FINAL)
