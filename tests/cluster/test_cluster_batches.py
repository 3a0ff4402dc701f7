"""Batches whose applications run in a real YARN cluster: their end is the cluster's word."""

import pytest

import sessions

ANY_SPARK = True

SLEEPS = "import time\nfrom pyspark import SparkContext\nsc = SparkContext()\ntime.sleep(600)\n"
FAILS = "from pyspark import SparkContext\nsc = SparkContext()\nraise SystemExit(3)\n"


@pytest.fixture(scope="module")
def server(yarn, spark_home, tmp_path_factory):
    with sessions.cluster_server(tmp_path_factory.mktemp("yarn-batches"), spark_home, yarn.env(spark_home), "yarn",
                                 "cluster", {"spark.master": "yarn", "spark.deploy_mode": "cluster"}) as running:
        yield running


@pytest.fixture
def post(server, tmp_path):
    def make(code, **fields):
        if isinstance(code, str):
            file = tmp_path / f"application{len(list(tmp_path.iterdir()))}.py"
            file.write_text(code)
            code = file
        made = server.post("/batches", {"file": f"file:{code}", **fields})
        assert made.status == 201, made
        return made.json["id"]
    return make


def finish(server, batch):
    return server.get(f"/v1/batches/{batch}?wait={sessions.START}s", timeout=sessions.START + 10).json


def running(server, yarn, batch):
    """Its application's id, once it runs."""
    def found():
        view = server.get(f"/v1/batches/{batch}").json
        return view["state"] == "running" and view["appId"]
    return server.until("it runs", found, sessions.START)


def test_a_batch_in_the_cluster_succeeds_under_its_tag(server, post, yarn, spark_home):
    batch = post(spark_home / "examples" / "src" / "main" / "python" / "pi.py", args=["2"])
    view = finish(server, batch)
    assert view["state"] == "success", (view, server.get(f"/batches/{batch}/log?size=-1").json["log"][-40:])
    app = sessions.app(yarn, view["appId"])
    assert app["finalStatus"] == "SUCCEEDED" and app["applicationTags"].startswith("hearth-batch-")


def test_an_application_that_fails_in_the_cluster_is_a_dead_batch(server, post):
    view = finish(server, post(FAILS))
    assert view["state"] == "dead" and "exited with status 3" in view["reason"], view


def test_an_application_killed_in_the_cluster_is_a_killed_batch_within_seconds(server, post, yarn):
    batch = post(SLEEPS)
    app = running(server, yarn, batch)
    yarn.kill(app)
    server.until("it was killed", lambda: server.get(f"/batches/{batch}/state").json["state"] == "killed", 10)
    assert "killed by user" in server.get(f"/v1/batches/{batch}").json["reason"]


def test_a_deleted_batch_is_gone_from_the_cluster(server, post, yarn):
    batch = post(SLEEPS)
    app = running(server, yarn, batch)
    assert server.delete(f"/batches/{batch}", timeout=60).status == 200
    server.until("it is gone", lambda: sessions.app(yarn, app)["state"] in ("FINISHED", "KILLED", "FAILED"), 30)
