"""Sessions in clusters outlive the host; where it does not come back, nothing of them stays in the cluster."""

import sessions

ANY_SPARK = True


def killed_host(server, session):
    """Kills the host while a statement prints; gives the statement and one that waits."""
    running = server.submit(session, "import time\nfor i in range(60):\n    print('line', i, flush=True)\n    time.sleep(0.2)\n'end'", "pyspark")
    waiting = server.submit(session, "kept", "pyspark")
    sessions.until_printed(server, session, running, "line 3")
    server.kill()
    return running, waiting


def check_went_on(server, session, running, waiting):
    output = server.finish(session, running, sessions.START)["output"]
    assert output["data"]["text/plain"] == "".join(f"line {i}\n" for i in range(60)) + "'end'"
    assert server.finish(session, waiting)["output"]["data"]["text/plain"] == "'it'"
    assert server.text(session, "40 + 2", "spark").endswith("Int = 42\n")


def test_a_driver_in_yarn_goes_on_while_the_host_is_away(yarn, spark_home, tmp_path):
    with sessions.cluster_server(tmp_path, spark_home, yarn.env(spark_home), "yarn", "cluster") as server:
        session = server.session(sessions.START, kind="pyspark")
        server.run(session, "kept = 'it'")
        application = server.get(f"/sessions/{session}").json["appId"]
        running, waiting = killed_host(server, session)
        server.start()
        check_went_on(server, session, running, waiting)
        assert server.get(f"/sessions/{session}").json["appId"] == application
        # It is followed as before.
        yarn.kill(application)
        server.until("it is told", lambda: server.get(f"/sessions/{session}/state").json["state"] == "killed", 30)


def test_what_no_host_comes_back_for_is_gone_from_yarn_and_the_session_says_why(yarn, spark_home, tmp_path):
    with sessions.cluster_server(tmp_path, spark_home, yarn.env(spark_home), "yarn", "cluster",
                                 {"driver.orphan_time": "5s"}) as server:
        session = server.session(sessions.START, kind="spark")
        application = server.get(f"/sessions/{session}").json["appId"]
        server.kill()
        server.until("it is gone from the cluster", lambda: sessions.app(yarn, application)["state"] == "FINISHED", 90)
        server.start()
        server.until("it is told", lambda: server.get(f"/sessions/{session}/state").json["state"] == "dead", 60)
        reason = server.get(f"/v1/sessions/{session}").json["reason"]
        assert application in reason or "has not been heard of" in reason, reason


def test_a_driver_in_a_standalone_cluster_goes_on_while_the_host_is_away(standalone, spark_home, tmp_path):
    with sessions.cluster_server(tmp_path, spark_home, standalone.env(), standalone.master, "cluster") as server:
        session = server.session(sessions.START, kind="pyspark")
        server.run(session, "kept = 'it'")
        running, waiting = killed_host(server, session)
        server.start()
        check_went_on(server, session, running, waiting)
        assert server.delete(f"/sessions/{session}").status == 200
