"""Batches on a real YARN cluster, their drivers in the cluster or beside the server."""

import pytest

import batches
import sessions

ANY_SPARK = True

SLEEPS = "import time\nfrom pyspark import SparkContext\nsc = SparkContext()\nprint('sleeping', flush=True)\ntime.sleep(600)\n"
FAILS = "from pyspark import SparkContext\nsc = SparkContext()\nraise SystemExit(3)\n"


def serve(yarn, spark_home, folder, mode):
    return sessions.cluster_server(folder, spark_home, yarn.env(spark_home), "yarn", mode,
                                   {"spark.master": "yarn", "spark.deploy_mode": mode})


@pytest.fixture(scope="module")
def server(yarn, spark_home, tmp_path_factory):
    with serve(yarn, spark_home, tmp_path_factory.mktemp("yarn-batches"), "cluster") as running:
        yield running


@pytest.fixture
def script(tmp_path):
    """A file with the code."""
    def make(code):
        file = tmp_path / f"application{len(list(tmp_path.iterdir()))}.py"
        file.write_text(code)
        return file
    return make


def test_a_batch_in_the_cluster_succeeds_under_its_tag(server, yarn, spark_home):
    pi = spark_home / "examples" / "src" / "main" / "python" / "pi.py"
    view, log = batches.finish(server, batches.post(server, pi, "2"))
    assert view["state"] == "success", (view, log[-40:])
    app = sessions.app(yarn, view["appId"])
    assert app["finalStatus"] == "SUCCEEDED" and app["applicationTags"].startswith("hearth-batch-")


def test_an_application_that_fails_in_the_cluster_is_a_dead_batch(server, script):
    view, _ = batches.finish(server, batches.post(server, script(FAILS)))
    assert view["state"] == "dead" and "exited with status 3" in view["reason"], view


def test_an_application_killed_in_the_cluster_is_a_killed_batch_within_seconds(server, script, yarn):
    batch = batches.post(server, script(SLEEPS))
    app = batches.running(server, batch)
    yarn.kill(app)
    server.until("it was killed", lambda: server.get(f"/batches/{batch}/state").json["state"] == "killed", 10)
    assert "killed by user" in server.get(f"/v1/batches/{batch}").json["reason"]


def test_a_deleted_batch_is_gone_from_the_cluster(server, script, yarn):
    batch = batches.post(server, script(SLEEPS))
    app = batches.running(server, batch)
    assert server.delete(f"/batches/{batch}", timeout=60).status == 200
    server.until("it is gone", lambda: sessions.app(yarn, app)["state"] in ("FINISHED", "KILLED", "FAILED"), 30)


@pytest.fixture(scope="module")
def beside(yarn, spark_home, tmp_path_factory):
    """Drivers run beside the server, executors in the cluster."""
    with serve(yarn, spark_home, tmp_path_factory.mktemp("yarn-client-batches"), "client") as running:
        yield running


def test_a_batch_beside_the_server_succeeds_with_its_application_and_a_whole_log(beside, yarn, spark_home):
    pi = spark_home / "examples" / "src" / "main" / "python" / "pi.py"
    view, log = batches.finish(beside, batches.post(beside, pi, "2"))
    assert view["state"] == "success", (view, log[-40:])
    app = sessions.app(yarn, view["appId"])
    assert app["finalStatus"] == "SUCCEEDED" and app["applicationTags"].startswith("hearth-batch-")
    assert any(line.startswith("Pi is roughly 3.") for line in log)
    assert any("Running Spark version" in line for line in log)  # the first lines and the last
    assert any("Successfully stopped SparkContext" in line for line in log[-8:])


def test_a_batch_beside_the_server_that_fails_is_dead_whatever_the_cluster_thinks(beside, script, yarn):
    # It has said goodbye to the cluster before it fails.
    view, log = batches.finish(beside, batches.post(beside, script(FAILS.replace("raise", "sc.stop()\nraise"))))
    assert (view["state"], view["reason"]) == ("dead", "exit status 3"), (view, log[-40:])
    assert sessions.app(yarn, view["appId"])["finalStatus"] == "SUCCEEDED"


def test_a_deleted_batch_beside_the_server_is_gone_from_both(beside, script, yarn):
    batch = batches.post(beside, script(SLEEPS))
    batches.says(beside, batch, "sleeping")
    app = beside.until("its id is known", lambda: beside.get(f"/batches/{batch}").json["appId"], 30)
    assert beside.delete(f"/batches/{batch}", timeout=60).status == 200
    view, _ = batches.finish(beside, batch)
    assert (view["state"], view["deleted"]) == ("killed", True)
    beside.until("it is gone", lambda: sessions.app(yarn, app)["state"] in ("FINISHED", "KILLED", "FAILED"), 30)
    assert beside.children() == []


def test_an_application_of_a_driver_beside_the_server_killed_in_the_cluster_is_a_killed_batch(beside, script, yarn):
    batch = batches.post(beside, script(SLEEPS))
    batches.says(beside, batch, "sleeping")
    app = beside.until("its id is known", lambda: beside.get(f"/batches/{batch}").json["appId"], 30)
    yarn.kill(app)
    view, log = batches.finish(beside, batch)
    assert view["state"] == "killed" and "killed by user" in view["reason"], (view, log[-40:])
