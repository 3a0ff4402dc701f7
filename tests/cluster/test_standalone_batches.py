"""Batches on a real standalone cluster, their drivers in the cluster or beside the server."""

import pytest

import batches
import sessions


@pytest.fixture(scope="session")
def jar(spark_home, tmp_path_factory):
    return batches.applications.build(spark_home, tmp_path_factory.mktemp("applications"))


def serve(standalone, spark_home, folder, mode, **env):
    return sessions.cluster_server(folder, spark_home, {**standalone.env(), **env}, standalone.master, mode, {
        "spark.master": standalone.master, "spark.deploy_mode": mode, "standalone.pages": standalone.url})


@pytest.fixture(scope="session")
def in_cluster(standalone, spark_home, tmp_path_factory):
    with serve(standalone, spark_home, tmp_path_factory.mktemp("in-cluster"), "cluster") as running:
        yield running


@pytest.fixture(scope="session")
def beside(standalone, spark_home, tmp_path_factory):
    with serve(standalone, spark_home, tmp_path_factory.mktemp("beside"), "client") as running:
        yield running


@pytest.fixture(scope="session")
def posted(in_cluster, jar):
    """All at once: submissions take their time."""
    return {name: batches.post(in_cluster, jar, *args, className=main) for name, main, args in (
        ("pi", "SparkPi", ()), ("failing", "Words", ("fail",)), ("deleted", "Words", ("sleep",)),
        ("killed", "Words", ("sleep",)))}


def driver(standalone, wanted):
    """A driver as the Master shows it, living or ended."""
    state = standalone.state()
    [found] = [one for one in state["activedrivers"] + state["completeddrivers"] if one["id"] == wanted]
    return found


def driver_output(standalone, wanted, name):
    return (standalone.folder / "applications" / wanted / name).read_text(errors="replace")


def test_sparkpi_in_the_cluster_succeeds(in_cluster, posted, standalone):
    view, log = batches.finish(in_cluster, posted["pi"])
    assert view["state"] == "success", (view, log, driver_output(standalone, view["appId"], "stderr")[-3000:])
    assert driver(standalone, view["appId"])["state"] == "FINISHED"
    assert "Pi is roughly 3." in driver_output(standalone, view["appId"], "stdout")


def test_an_application_that_fails_in_the_cluster_is_a_dead_batch(in_cluster, posted, standalone):
    view, log = batches.finish(in_cluster, posted["failing"])
    assert view["state"] == "dead", (view, log)
    assert driver(standalone, view["appId"])["state"] == "FAILED"
    assert "meant to fail" in driver_output(standalone, view["appId"], "stderr")


def test_a_deleted_batch_is_gone_from_the_cluster(in_cluster, posted, standalone):
    batch = posted["deleted"]
    app = batches.running(in_cluster, batch)
    assert in_cluster.delete(f"/batches/{batch}", timeout=60).status == 200
    view, _ = batches.finish(in_cluster, batch)
    assert (view["state"], view["deleted"]) == ("killed", True)
    in_cluster.until("it is gone", lambda: driver(standalone, app)["state"] == "KILLED", 30)


def test_a_driver_killed_by_the_master_is_a_killed_batch(in_cluster, posted, standalone):
    batch = posted["killed"]
    app = batches.running(in_cluster, batch)
    standalone.kill(app)
    in_cluster.until("it was killed", lambda: in_cluster.get(f"/batches/{batch}/state").json["state"] == "killed", 30)


def test_a_batch_beside_the_server_has_its_id_while_it_runs_and_a_whole_log(beside, jar, standalone):
    batch = batches.post(beside, jar, "sleep", className="Words")
    batches.says(beside, batch, "sleeping")
    view = beside.get(f"/batches/{batch}").json
    assert [one["id"] for one in standalone.state()["activeapps"] if one["id"] == view["appId"]], view
    # By the Master's word, not by its log's.
    beside.until("the Master's page is known", lambda: beside.get(f"/batches/{batch}").json["appInfo"]["sparkUiUrl"]
                 == f"{standalone.url}/app/?appId={view['appId']}", 30)
    standalone.kill(view["appId"])
    view, log = batches.finish(beside, batch)
    assert view["state"] == "killed", (view, log)
    assert "counted 1" in log and any("Running Spark version" in line for line in log)


@pytest.mark.any_spark
def test_a_batch_beside_the_server_that_fails_is_dead_whatever_the_master_thinks(beside, jar, standalone):
    # Its context is stopped before its main method throws: to the Master it is finished.
    view, log = batches.finish(beside, batches.post(beside, jar, "fail", className="Words"))
    assert (view["state"], view["reason"]) == ("dead", "exit status 1"), (view, log)
    [app] = [one for one in standalone.state()["completedapps"] if one["id"] == view["appId"]]
    assert app["state"] == "FINISHED"


@pytest.mark.any_spark
def test_a_path_without_a_scheme_is_in_the_clusters_file_system(standalone, hdfs, spark_home, tmp_path):
    code = b"from pyspark import SparkContext, SparkFiles\nsc = SparkContext()\nprint(open(SparkFiles.get('words.txt')).read())\n"
    for name, text in (("hello.py", code), ("words.txt", b"said from HDFS\n")):
        path = f"{hdfs.url}/webhdfs/v1/jobs/{spark_home.parent.name}/{name}?user.name=root"
        assert hdfs.send(f"{path}&op=CREATE", "PUT", text)[0] == 201
    with serve(standalone, spark_home, tmp_path, "client", HADOOP_CONF_DIR=str(hdfs.conf)) as server:
        folder = f"/jobs/{spark_home.parent.name}"
        made = server.post("/batches", {"file": f"{folder}/hello.py", "files": [f"{folder}/words.txt"]})
        assert made.status == 201, made
        view, log = batches.finish(server, made.json["id"])
        assert view["state"] == "success" and "said from HDFS" in log, (view, log[-40:])
        assert view["file"] == f"{hdfs.uri}{folder}/hello.py"
