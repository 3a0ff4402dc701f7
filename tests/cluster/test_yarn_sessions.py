"""Sessions on a real YARN cluster, their drivers beside the server or in the cluster."""

import pathlib

import pytest

import sessions
from clusters import fetch, free_ports
from link_proxy import Network

ANY_SPARK = True


@pytest.fixture(scope="module")
def network():
    made = Network(free_ports(1)[0])
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(yarn, spark_home, network, tmp_path_factory):
    """Drivers run in the cluster and dial through `network`."""
    with sessions.cluster_server(tmp_path_factory.mktemp("yarn-cluster"), spark_home, yarn.env(spark_home), "yarn",
                                 "cluster", network.settings) as running:
        yield running


@pytest.fixture(scope="module")
def session(server):
    """A session that tests share."""
    return server.session(sessions.START, kind="pyspark", name="shared by tests", conf={"spark.yarn.tags": "mine,also"})


def app_of(yarn, server, session):
    return sessions.app(yarn, server.get(f"/sessions/{session}").json["appId"])


def test_scala_and_python_run_in_the_application_master_and_on_executors(server, session, yarn):
    sessions.answers(server, session)
    app = app_of(yarn, server, session)
    assert (app["state"], app["name"]) == ("RUNNING", "shared by tests")
    where = server.text(session, "import os; print(os.getcwd())", "pyspark")
    assert app["id"] in where
    assert server.text(session, "sc.deployMode", "spark").endswith("String = cluster\n")


def test_the_application_carries_the_sessions_tag_beside_the_clients_own(server, session, yarn):
    tags = app_of(yarn, server, session)["applicationTags"].split(",")
    assert {"mine", "also"} < set(tags)
    assert [tag for tag in tags if tag.startswith("hearth-session-")]


def test_the_log_of_the_driver_is_where_the_session_says(server, session):
    url = server.get(f"/sessions/{session}").json["appInfo"]["driverLogUrl"]
    assert "/node/containerlogs/container_" in url
    status, page = fetch(url)
    assert status == 200 and b"stderr" in page, (status, page[:500])


def test_statements_are_cancelled(server, session):
    sessions.cancels(server, session, "import time\nprint('started')\nwhile True: time.sleep(0.1)", "pyspark")
    sessions.cancels(server, session, 'println("started")\nsc.parallelize(1 to 2, 2).map { i => '
                                      "while (true) Thread.sleep(100); i }.count()", "spark")
    assert server.text(session, "40 + 2", "pyspark") == "42"


@pytest.mark.parametrize("reset", [False, True], ids=["cut", "killed"])
def test_a_lost_connection_costs_nothing(server, session, network, reset):
    made = network.connections
    running = server.submit(session, "import time\nfor i in range(30):\n    print('line', i, flush=True)\n    time.sleep(0.1)\n'end'",
        "pyspark")
    sessions.until_printed(server, session, running, "line 1")
    network.cut(reset)
    # Asked for while nothing gets through.
    waiting = server.submit(session, "6 * 7", "pyspark")
    network.mend()
    network.wait_connections(made + 1)
    output = server.finish(session, running)["output"]
    lines = "".join(f"line {i}\n" for i in range(30))
    assert output["data"]["text/plain"] == lines + "'end'"
    assert server.finish(session, waiting)["output"]["data"]["text/plain"] == "42"


def test_the_secret_of_the_link_is_nowhere_to_be_read(server, session, yarn):
    secret = sessions.secret_of(server, session)
    assert sessions.seen_in_processes(secret) == []
    app = app_of(yarn, server, session)
    node = app["amHostHttpAddress"]
    pages = [f"{yarn.url}/ws/v1/cluster/apps/{app['id']}", f"{yarn.url}/ws/v1/cluster/apps/{app['id']}/appattempts",
             f"http://{node}/ws/v1/node/containers", f"http://{node}/conf"]
    for page in pages:
        status, body = fetch(page)
        assert status and secret.encode() not in body, (page, status)
    for path in (f"/sessions/{session}", f"/v1/sessions/{session}", f"/sessions/{session}/log?size=1000"):
        assert secret not in server.get(path).body.decode()
    # The file itself, in folders that nobody else can enter, is the only place.
    names = ("link.json", "hearth-link.json")
    assert sessions.seen_in_files(secret, server.folder, yarn.folder, but=names) == []
    assert sessions.seen_in_files(secret, yarn.folder / "staging") != []
    for path in pathlib.Path(yarn.folder / "staging").rglob("hearth-link.json"):
        assert path.parent.stat().st_mode & 0o777 == 0o700, path
    # Neither does Spark tell it to those who ask for its settings.
    shown = server.text(session, "[v for k, v in sc.getConf().getAll()]", "pyspark")
    assert secret not in shown


def test_a_submission_that_fails_ends_the_session_and_says_why(server):
    made = server.post("/sessions", {"kind": "spark", "queue": "nosuch"})
    assert made.status == 201, made
    path = f"/v1/sessions/{made.json['id']}"
    view = server.get(f"{path}?wait={sessions.START}s", timeout=sessions.START + 10).json
    assert view["state"] == "dead", view
    # By whoever has seen it first, the submission or the cluster.
    assert "was not submitted" in view["reason"] or "has failed in the cluster" in view["reason"], view
    assert "nosuch" in view["reason"], view


def test_a_session_that_waits_for_the_cluster_says_so_and_can_be_deleted(server, yarn):
    # No other application leaves that much.
    made = server.post("/sessions", {"kind": "spark", "driverMemory": "10500m"}).json["id"]
    path = f"/v1/sessions/{made}"
    view = server.until("it waits", lambda: (lambda found: found["reason"] and "waits for the cluster" in found["reason"]
                                             and found)(server.get(path).json), sessions.START)
    assert view["state"] == "starting", view
    app = view["appId"]
    assert app in view["reason"]
    assert server.delete(f"/sessions/{made}").status == 200
    if sessions.app(yarn, app)["state"] not in ("FINISHED", "KILLED"):
        yarn.kill(app)


def test_a_deleted_session_is_gone_from_the_cluster(server, session, yarn):
    app = app_of(yarn, server, session)["id"]
    assert server.delete(f"/sessions/{session}", timeout=60).status == 200
    server.until("it is over", lambda: sessions.app(yarn, app)["state"] == "FINISHED", 30)
    assert sessions.app(yarn, app)["finalStatus"] == "SUCCEEDED"


def test_drivers_beside_the_server_use_the_cluster(yarn, spark_home, tmp_path):
    with sessions.cluster_server(tmp_path, spark_home, yarn.env(spark_home), "yarn", "client") as server:
        made = server.session(sessions.START, kind="spark")
        sessions.answers(server, made)
        app = app_of(yarn, server, made)
        assert app["state"] == "RUNNING"
        assert "hearth-session-" in app["applicationTags"]
        server.delete(f"/sessions/{made}", timeout=60)
        server.until("it is over", lambda: sessions.app(yarn, app["id"])["state"] == "FINISHED", 30)


def test_an_older_spark_works_alike(yarn, tmp_path):
    old_spark_home = sessions.oldest_spark()
    with sessions.cluster_server(tmp_path, old_spark_home, yarn.env(old_spark_home), "yarn", "cluster") as server:
        made = server.session(sessions.START, kind="pyspark")
        sessions.answers(server, made)
        app = app_of(yarn, server, made)["id"]
        server.delete(f"/sessions/{made}", timeout=60)
        server.until("it is over", lambda: sessions.app(yarn, app)["state"] == "FINISHED", 30)
        assert sessions.app(yarn, app)["finalStatus"] == "SUCCEEDED"
