"""The operator's policy, as users of both faces meet it: what is refused, in which words, and that nothing is left of it."""

import json
import pathlib

import pytest

from test_contract_batches import form
from test_contract_configuration import hearth, refused

FAKE_SPARK = pathlib.Path(__file__).resolve().parent / "spark"
TEMPLATES = {
    "small": {"description": "for a look", "fields": {"driverMemory": "1g"}, "conf": {"spark.ui.enabled": "false"}},
    "large": {"kind": "echo", "fields": {"driverMemory": "8g"}, "locked": ["driverMemory"],
              "conf": {"spark.sql.shuffle.partitions": "400", "spark.hadoop.fs.s3a.secret.key": "not to be told"}},
}


@pytest.fixture(scope="module")
def allowed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("allowed")
    (folder / "app.jar").write_text("x")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


@pytest.fixture(scope="module")
def server(plugins, allowed, tmp_path_factory):
    """One with all of the policy but limits."""
    import conftest
    import harness
    templates = tmp_path_factory.mktemp("templates")
    for name, text in TEMPLATES.items():
        (templates / f"{name}.json").write_text(json.dumps(text))
    settings = {**conftest.SETTINGS, "spark.home": str(FAKE_SPARK),
                "policy.conf.denied": "spark.kerberos.keytab,spark.ui.p*", "policy.conf.default": "spark.a=1; spark.b=x;;y",
                "policy.conf.forced": "spark.executor.memory=2g", "policy.paths.local": str(allowed),
                "policy.templates_dir": str(templates)}
    with harness.Server(tmp_path_factory.mktemp("server"), settings, plugins) as started:
        yield started


def counted(server):
    return server.get("/v1/sessions?deleted=true").json["total"]


REFUSED = [
    ({"conf": {"spark.ui.port": "1"}}, "policy.conf.denied", "spark.ui.port"),
    ({"conf": {" spark.yarn.keytab ": "hdfs://x/y"}}, "policy.conf.denied", "spark.yarn.keytab"),
    ({"conf": {"spark.driver.extraJavaOptions": "-Dspark.ui.port=1"}}, "policy.conf.denied", "spark.ui.port"),
    ({"jars": ["/etc/passwd"]}, "policy.paths.local", "Local path /etc/passwd cannot be added to user sessions"),
    ({"files": ["file:///etc/../etc/passwd"]}, "policy.paths.local", "field files"),
    ({"conf": {"spark.files": "FILE:/etc/passwd"}}, "policy.paths.local", "spark.files"),
    ({"archives": ["gopher://x/y.zip"]}, "policy.paths.schemes", "gopher://x/y.zip"),
    ({"conf": {"hearth.template": "smal"}}, "policy.templates", "did you mean 'small'?"),
    ({"conf": {"hearth.template": "large"}, "driverMemory": "9g"}, "policy.templates", "locks spark.driver.memory"),
]


@pytest.mark.parametrize("fields, rule, word", REFUSED, ids=[f"{rule}-{n}" for n, (_, rule, _) in enumerate(REFUSED)])
def test_a_refusal_names_its_rule_on_both_faces_and_leaves_nothing(server, fields, rule, word):
    before = counted(server)
    request = {"kind": "echo", "name": "of the policy", **fields}
    livy = server.post("/sessions", request)
    assert livy.status == 400
    assert livy.json["msg"].startswith(f"Rejected, Reason: {rule}: ") and word in livy.json["msg"]
    own = server.post("/v1/sessions", request)
    assert own.status == 422 and own.headers["content-type"] == "application/problem+json"
    assert own.json["detail"].startswith(f"{rule}: ") and word in own.json["detail"]
    assert counted(server) == before
    assert server.get("/sessions/of%20the%20policy").status == 404


def test_a_link_out_of_the_allowed_folder_is_followed(server, allowed):
    answer = server.post("/v1/sessions", {"kind": "echo", "files": [f"{allowed}/link"]})
    assert answer.status == 422 and "policy.paths.local" in answer.json["detail"]


def test_refusals_burn_no_id_and_no_name(server):
    first = server.session(kind="echo")
    for _ in range(3):
        assert server.post("/sessions", {"kind": "echo", "name": "kept", "conf": {"spark.ui.port": "1"}}).status == 400
    made = server.session(kind="echo", name="kept")
    assert made == first + 1
    for session in (first, made):
        server.delete(f"/sessions/{session}")


def test_what_the_policy_allows_is_made_with_its_defaults_and_what_is_forced(server, allowed):
    made = server.session(kind="echo", jars=[f"file:{allowed}/app.jar"], executorMemory="64g",
                          conf={"spark.executor.memory": "65g", " spark.c ": "3", "livy.uri": "x"})
    view = server.get(f"/sessions/{made}").json
    assert view["conf"] == {"spark.a": "1", "spark.b": "x;y", "spark.c": "3", "livy.uri": "x",
                            "spark.executor.memory": "2g"}
    assert view["executorMemory"] is None and view["jars"] == [f"file:{allowed}/app.jar"]
    server.delete(f"/sessions/{made}")


def test_templates_are_listed_without_their_secrets(server):
    listed = {one["name"]: one for one in server.get("/v1/templates").json["templates"]}
    assert listed["small"] == {"name": "small", "description": "for a look", "kind": None,
                               "fields": {"driverMemory": "1g"}, "conf": {"spark.ui.enabled": "false"}, "locked": []}
    assert listed["large"]["kind"] == "echo" and listed["large"]["locked"] == ["driverMemory"]
    assert "not to be told" not in server.get("/v1/templates").body.decode()


def test_a_template_is_named_by_a_field_on_v1_and_by_conf_on_livys_face(server):
    own = server.post("/v1/sessions?wait=20s", {"template": "large"}).json
    assert own["template"] == "large" and own["kind"] == "echo" and own["driverMemory"] == "8g"
    assert own["conf"]["spark.sql.shuffle.partitions"] == "400"
    livy = server.post("/sessions", {"kind": "echo", "conf": {"hearth.template": "small"}}).json
    assert livy["driverMemory"] == "1g" and livy["conf"]["spark.ui.enabled"] == "false"
    assert server.get(f"/v1/sessions/{livy['id']}").json["template"] == "small"
    unknown = server.post("/sessions", {"template": "small"})
    assert unknown.status == 400 and "Unrecognized field" in unknown.json
    for made in (own, livy):
        server.delete(f"/sessions/{made['id']}")
    # Also of one that only the store knows.
    assert server.get(f"/v1/sessions/{own['id']}").json["template"] == "large"


def test_a_user_has_so_many_sessions_and_again_when_one_has_ended(make_server):
    with make_server({"policy.limit.sessions": "2"}) as server:
        first, second = server.session(kind="echo"), server.session(kind="echo")
        for path in ("/sessions", "/v1/sessions"):
            answer = server.post(path, {"kind": "echo"})
            assert answer.status == 429 and int(answer.headers["retry-after"]) > 0
            text = answer.json["msg"] if path == "/sessions" else answer.json["detail"]
            assert text.startswith("policy.limit.sessions: ") and "at most 2" in text
        server.delete(f"/sessions/{first}")
        assert server.session(kind="echo") == second + 1
        # Those that were refused for another reason have taken no place.
        server.delete(f"/sessions/{second}")
        for _ in range(5):
            assert server.post("/sessions", {"kind": "nosuch"}).status == 400
        server.session(kind="echo")


def test_a_user_has_so_much_memory_and_so_many_cores(make_server):
    with make_server({"policy.limit.memory": "4g", "policy.limit.cores": "6",
                      "policy.conf.default": "spark.master=local[1]"}) as server:
        too_large = server.post("/sessions", {"kind": "echo", "driverMemory": "2g", "executorMemory": "1g", "numExecutors": 3})
        assert too_large.status == 400
        assert too_large.json["msg"].startswith("Rejected, Reason: policy.limit.memory: 5120m are asked for")
        assert "at most 4096m" in too_large.json["msg"]
        many = server.post("/v1/sessions", {"kind": "echo", "conf": {"spark.master": "local[7]"}})
        assert many.status == 422 and many.json["detail"].startswith("policy.limit.cores: 7 cores")
        made = server.session(kind="echo", driverMemory="3g")
        more = server.post("/v1/sessions", {"kind": "echo", "driverMemory": "2g"})
        assert more.status == 422 and "you have 3072m" in more.json["detail"]
        server.delete(f"/sessions/{made}")
        server.session(kind="echo", driverMemory="2g")


# ---- Batches

@pytest.mark.parametrize("fields, rule, word", [
    ({"file": "/etc/passwd"}, "policy.paths.local", "field file"),
    ({"file": "FILE:///etc/../etc/passwd"}, "policy.paths.local", "field file"),
    ({"file": "hdfs://x/app.py", "pyFiles": ["/etc/passwd"]}, "policy.paths.local", "field pyFiles"),
    ({"file": "hdfs://x/app.py", "conf": {"spark.ui.proxyBase": "x"}}, "policy.conf.denied", "by spark.ui.p*"),
    ({"file": "hdfs://x/app.py", "conf": {"hearth.template": "none"}}, "policy.templates", "'none'")])
def test_batches_are_refused_by_the_same_rules(server, fields, rule, word):
    before = server.get("/v1/batches?deleted=true").json["total"]
    livy = server.post("/batches", fields)
    assert livy.status == 400 and livy.json["msg"].startswith(f"Rejected, Reason: {rule}: ") and word in livy.json["msg"]
    own = server.post("/v1/batches", fields)
    assert own.status == 422 and own.json["detail"].startswith(f"{rule}: ")
    assert server.get("/v1/batches?deleted=true").json["total"] == before
    assert not list((server.data / "batches").glob("*"))


def test_a_batchs_variables_are_looked_at_too(server):
    answer = server.post("/v1/batches", {"file": "hdfs://x/app.py", "env": {"PYTHONSTARTUP": "/tmp/x.py"}})
    assert answer.status == 422 and "env PYTHONSTARTUP" in answer.json["detail"]


def finished(server, batch):
    return server.get(f"/v1/batches/{batch}?wait=30s").json


def test_spark_is_told_what_template_defaults_and_forced_values_make_of_a_batch(server, allowed):
    made = server.post("/v1/batches", {"file": f"{allowed}/app.jar", "args": ["properties"], "template": "small",
                                       "executorMemory": "9g"}).json
    assert finished(server, made["id"])["state"] == "success"
    log = server.get(f"/v1/batches/{made['id']}/log?from=0&size=-1").json["log"]
    for line in ("spark.driver.memory=1g", "spark.executor.memory=2g", "spark.a=1", "spark.ui.enabled=false"):
        assert line in log
    server.delete(f"/batches/{made['id']}")


def test_a_file_that_comes_with_the_request_is_no_path_of_the_users(make_server):
    with make_server({"spark.home": str(FAKE_SPARK), "policy.paths.local": "none"}) as server:
        body, headers = form([("file", "app.py", b"x")])
        made = server.request("POST", "/v1/batches", body, headers=headers)
        assert made.status == 201
        assert finished(server, made.json["id"])["state"] == "success"
        body, headers = form([("request", None, b'{"jars":["/etc/passwd"]}'), ("file", "app.py", b"x")])
        assert server.request("POST", "/v1/batches", body, headers=headers).status == 422


def test_a_user_has_so_many_batches_also_over_a_restart(make_server, tmp_path):
    go_on = tmp_path / "go on"
    settings = {"spark.home": str(FAKE_SPARK), "policy.limit.batches": "1", "batch.kill_grace": "500ms"}
    first = {"file": "/app.jar", "args": [f"wait={go_on}"]}
    key = {"Idempotency-Key": "once"}
    folder = tmp_path / "restarted"
    server = make_server(settings, folder=folder).start()
    made = server.post("/batches", first, headers=key)
    assert made.status == 201
    # The same once more is no second one.
    assert server.post("/batches", first, headers=key).status == 201
    refusal = server.post("/batches", {"file": "/app.jar"})
    assert refusal.status == 429 and refusal.json["msg"].startswith("policy.limit.batches: ")
    assert server.post("/sessions", {"kind": "echo"}).status == 201
    assert server.stop() == 0  # the application goes on
    with make_server(settings, folder=folder) as server:
        assert server.post("/v1/batches", {"file": "/app.jar"}).status == 429
        go_on.touch()
        finished(server, made.json["id"])
        assert server.post("/v1/batches?wait=30s", {"file": "/app.jar"}).json["state"] == "success"


def test_a_master_that_the_server_has_is_not_changed_by_a_batch(make_server):
    with make_server({"spark.home": str(FAKE_SPARK), "spark.master": "local[2]"}) as server:
        answer = server.post("/batches", {"file": "/app.jar", "conf": {"spark.master": "local[64]"}})
        assert answer.status == 400 and "policy.conf.denied" in answer.json["msg"] and "spark.master" in answer.json["msg"]
        assert server.post("/batches", {"file": "/app.jar", "conf": {"spark.master": "local[2]"}}).status == 201
        server.until("it has ended", lambda: server.get("/v1/batches").json["batches"][0]["state"] == "success")


# ---- What is wrong with the rules themselves

@pytest.mark.parametrize("setting, words", [
    ("policy.conf.forced=spark.x", ("policy.conf.forced", "key=value")),
    ("policy.conf.forced=spark.app.name=x", ("spark.app.name",)),
    ("policy.conf.default=spark.x=1;spark.x=2", ("spark.x", "twice")),
    ("policy.conf.denied=spark.*.x", ("spark.*.x", "at the end")),
    ("policy.paths.local=lib", ("'lib'", "absolute"))])
def test_a_wrong_rule_stops_the_start_by_its_name(setting, words, tmp_path):
    ended = hearth("serve", "--data", str(tmp_path), "-p", "0", "--set", "plugins.dir=/nonexistent", "--set", setting)
    refused(ended, 2, *words)


def test_a_wrong_template_stops_the_start_by_its_file(tmp_path):
    (tmp_path / "bad.json").write_text('{"felds": {}}')
    ended = hearth("serve", "--data", str(tmp_path / "data"), "-p", "0", "--set", "plugins.dir=/nonexistent",
                   "--set", f"policy.templates_dir={tmp_path}")
    refused(ended, 2, "bad.json", "felds", "fields")
