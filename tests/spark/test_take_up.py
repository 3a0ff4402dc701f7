"""Sessions outlive the host: killed or stopped, the next one goes on with their drivers."""

import os
import pathlib
import signal
import time

import pytest

from conftest import serve


@pytest.fixture
def own(spark_home, tmp_path_factory):
    """Makes a server of the test's own, as it is killed."""
    return lambda settings=None: serve(spark_home, tmp_path_factory, settings)


def driver_of(server):
    """Pid of the one driver."""
    [driver] = [pid for pid in server.children()
                if b"io.hearth.driver.Main" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
    return driver


@pytest.mark.parametrize("how", ["kill -9", "SIGTERM"])
def test_running_and_waiting_statements_and_variables_survive_the_host(own, how):
    with own({"session.on_shutdown": "detach"}) as server:
        session = server.session(kind="pyspark", name="kept", conf={"spark.ui.enabled": "false"})
        server.run(session, "kept = 41")
        server.run(session, "create temporary view two as select 2 as n", kind="sql")
        app = server.view(session)["appId"]
        running = server.submit(session, "import time\nprint('begun', flush=True)\nfor i in range(40):\n"
                                          "    time.sleep(0.2)\n    print(i, flush=True)\nkept + 1")
        server.until("it prints", lambda: "5\n" in server.statement(session, running)["stdout"], 60)
        waiting = [server.submit(session, "kept += 1; kept"),
                   server.submit(session, "select n from two", kind="sql"),
                   server.submit(session, "spark.range(10).count()", kind="spark"),
                   server.submit(session, "kept += 1; kept")]
        if how == "kill -9":
            server.kill()
            time.sleep(3)  # prints on meanwhile
        else:
            assert server.stop() == 0
        server.start()
        assert server.view(session)["state"] in ("recovering", "busy")
        final = server.finish(session, running, 120)
        printed = "begun\n" + "".join(f"{i}\n" for i in range(40))
        assert final["output"]["status"] == "ok", final
        assert final["output"]["data"]["text/plain"] == printed + "42"
        assert server.statement(session, running)["stdout"] == printed + "42\n", "nothing is lost and nothing came twice"
        results = [server.finish(session, number, 120)["output"] for number in waiting]
        assert [result["status"] for result in results] == ["ok"] * 4, results
        assert results[0]["data"]["text/plain"] == "42" and results[3]["data"]["text/plain"] == "43"
        assert results[1]["data"]["application/json"]["data"] == [[2]]
        order = [server.statement(session, number)["started"] for number in [running] + waiting]
        assert order == sorted(order)
        after = server.view(session)
        assert after["appId"] == app and after["state"] == "idle"
        # It is as good as new: another language, a cancel, an end.
        assert server.output(session, "select 3 as n", kind="sql")["application/json"]["data"] == [[3]]
        stuck = server.submit(session, "print('on', flush=True)\nwhile True: pass")
        server.until("it runs", lambda: "on" in server.statement(session, stuck)["stdout"], 60)
        server.post(f"/sessions/{session}/statements/{stuck}/cancel")
        assert server.finish(session, stuck)["state"] == "cancelled"
        assert server.text(session, "kept") == "43"
        driver = driver_of(server)
        assert server.delete("/sessions/kept").status == 200
        server.until("the driver is gone", lambda: not os.path.exists(f"/proc/{driver}"))


@pytest.mark.any_spark
def test_a_driver_that_died_with_the_host_is_told_of_with_its_statements(own):
    with own() as server:
        session = server.session(kind="spark", conf={"spark.ui.enabled": "false"})
        server.run(session, "val a = 1")
        driver = driver_of(server)
        running = server.submit(session, "Thread.sleep(1000000)")
        server.until("it runs", lambda: server.statement(session, running)["state"] == "running")
        waiting = server.submit(session, "a")
        server.kill()
        os.kill(driver, signal.SIGKILL)
        server.start()
        server.until("it is dead", lambda: server.view(session)["state"] == "dead", 60)
        assert "while the host was away" in server.view(session)["reason"]
        lost = server.statement(session, running)
        assert lost["state"] == "available" and "while the host was away" in str(lost["output"]), lost
        assert server.statement(session, waiting)["state"] == "cancelled"
        assert "a: Int" in str(server.statement(session, 0)["output"])


@pytest.mark.any_spark
def test_a_session_that_was_starting_comes_up(own):
    with own() as server:
        session = server.post("/sessions", {"kind": "spark", "conf": {"spark.ui.enabled": "false"}}).json["id"]
        server.kill()
        server.start()
        server.settle(session)
        assert server.view(session)["state"] == "idle"
        assert "2" in server.text(session, "1 + 1")


@pytest.mark.any_spark
def test_a_host_that_stays_away_costs_the_driver_and_the_session_says_why(own):
    with own({"driver.orphan_time": "3s"}) as server:
        session = server.session(kind="spark", conf={"spark.ui.enabled": "false"})
        driver = driver_of(server)
        server.kill()
        server.until("the driver has ended itself", lambda: not os.path.exists(f"/proc/{driver}"), 60)
        server.start()
        server.until("it is dead", lambda: server.view(session)["state"] == "dead", 60)
        assert "while the host was away" in server.view(session)["reason"]
