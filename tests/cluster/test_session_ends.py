"""Sessions whose applications end in the cluster, and applications whose sessions end."""

import time

import pytest

import sessions

ANY_SPARK = True


def ended(server, session, seconds):
    view = server.until("it has ended", lambda: (lambda found: found["state"] in ("dead", "killed", "error") and found)(
        server.get(f"/v1/sessions/{session}").json), seconds)
    return view, "\n".join(server.get(f"/sessions/{session}/log?size=1000").json["log"])


@pytest.mark.parametrize("mode", ["cluster", "client"])
def test_an_application_killed_in_yarn_is_a_session_that_was_killed(yarn, spark_home, tmp_path, mode):
    with sessions.cluster_server(tmp_path, spark_home, yarn.env(spark_home), "yarn", mode) as server:
        made = server.session(sessions.START, kind="pyspark")
        statement = server.submit(made, "import time\nprint('started')\ntime.sleep(600)", "pyspark")
        sessions.until_printed(server, made, statement, "started")
        app = server.get(f"/sessions/{made}").json["appId"]
        begun = time.monotonic()
        yarn.kill(app)
        view, log = ended(server, made, 60)
        took = time.monotonic() - begun
        assert view["state"] == "killed", (view, log[-3000:])
        assert app in view["reason"] and "killed by user" in view["reason"], view
        assert f"cluster: Application {app} was killed by user" in log
        assert took < 10, took
        # What waited for it is told.
        assert server.get(f"/sessions/{made}/statements/{statement}").json["state"] in ("available", "cancelled")


def test_an_application_that_has_not_started_goes_with_its_session(yarn, spark_home, tmp_path):
    with sessions.cluster_server(tmp_path, spark_home, yarn.env(spark_home), "yarn", "cluster") as server:
        made = server.post("/sessions", {"kind": "pyspark"}).json["id"]
        app = server.until("it is submitted", lambda: server.get(f"/v1/sessions/{made}").json["appId"], sessions.START)
        assert server.delete(f"/sessions/{made}", timeout=60).status == 200
        server.until("it is gone", lambda: sessions.app(yarn, app)["state"] in ("FINISHED", "KILLED", "FAILED"), 30)


def test_an_application_killed_by_the_master_is_a_session_that_was_killed(standalone, spark_home, tmp_path):
    with sessions.cluster_server(tmp_path, spark_home, standalone.env(), standalone.master, "client",
                                 {"standalone.pages": standalone.url}) as server:
        made = server.session(sessions.START, kind="pyspark")
        standalone.kill(server.get(f"/sessions/{made}").json["appId"])
        view, log = ended(server, made, 60)
        assert view["state"] == "killed", (view, log[-3000:])
        assert "was killed in the cluster" in view["reason"]
