"""Every property of a session changes the real Spark application (what local mode can show)."""

import pathlib
import subprocess
import sys



def test_properties_reach_the_application(server, tmp_path):
    (tmp_path / "helper_module.py").write_text("VALUE = 'from pyFiles'\n")
    (tmp_path / "data.txt").write_text("from files\n")
    session = server.session(
        kind="pyspark", name="all of them", driverMemory="700m", executorMemory="600m", executorCores=2,
        numExecutors=3, driverCores=1, queue="research",
        pyFiles=[str(tmp_path / "helper_module.py")], files=[str(tmp_path / "data.txt")],
        conf={"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "5", "livy.uri": "ignored",
              "spark.hearth.test": "odd = value: \\ é\ttab"})
    try:
        conf = lambda key: server.text(session, f"print(sc.getConf().get({key!r}))")
        assert conf("spark.app.name") == "all of them"
        assert conf("spark.driver.memory") == "700m"
        assert conf("spark.executor.memory") == "600m"
        assert conf("spark.executor.cores") == "2"
        assert conf("spark.executor.instances") == "3"
        assert conf("spark.yarn.queue") == "research"
        assert conf("spark.sql.shuffle.partitions") == "5"
        assert conf("spark.hearth.test") == "odd = value: \\ é\ttab"
        heap = int(server.text(session, "Runtime.getRuntime.maxMemory / 1000000", "spark").split("= ")[1])
        assert 500 < heap < 800, "driverMemory is the driver's heap"
        assert server.text(session, "import helper_module; helper_module.VALUE") == "'from pyFiles'"
        assert server.text(session, "from pyspark import SparkFiles; open(SparkFiles.get('data.txt')).read()") == "'from files\\n'"
        view = server.get("/sessions/all%20of%20them").json
        assert view["id"] == session and view["driverMemory"] == "700m" and view["numExecutors"] == 3
    finally:
        server.delete(f"/sessions/{session}")


def test_a_session_has_a_virtual_environment_and_variables_of_its_own(server, python, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "own")], check=True)
    session = server.session(kind="pyspark", conf={
        "spark.ui.enabled": "false", "spark.pyspark.python": str(tmp_path / "own" / "bin" / "python"),
        "spark.hearth.env.FIELD_OF": "maïs = 1"})
    try:
        assert server.text(session, "import sys; sys.prefix") == repr(str(tmp_path / "own"))
        assert server.text(session, "import os; os.environ['FIELD_OF']") == repr("maïs = 1")
        on_executors = "import sys; sc.parallelize([0], 1).map(lambda _: sys.prefix).first()"
        assert server.text(session, on_executors, timeout=120) == repr(str(tmp_path / "own"))
        assert server.text(python, "import os, sys; 'FIELD_OF' in os.environ, sys.prefix == '%s'" % (tmp_path / "own")) == (
            "(False, False)"), "other sessions go on as they were"
    finally:
        server.delete(f"/sessions/{session}")


def test_nothing_secret_is_on_a_command_line(server):
    session = server.session(kind="spark", conf={"spark.ui.enabled": "false", "spark.hadoop.fs.s3a.secret.key": "hush-hush"})
    try:
        for process in server.children():
            assert b"hush-hush" not in pathlib.Path(f"/proc/{process}/cmdline").read_bytes()
        assert "hush-hush" in server.text(session, 'println(sc.hadoopConfiguration.get("fs.s3a.secret.key"))')
    finally:
        server.delete(f"/sessions/{session}")


def test_a_driver_that_cannot_start_says_why(server):
    made = server.post("/sessions", {"kind": "spark", "driverMemory": "1m"}).json
    view = server.get(f"/v1/sessions/{made['id']}?wait=60s", timeout=70).json
    assert view["state"] == "dead" and view["reason"], view
    log = "\n".join(server.get(f"/sessions/{made['id']}/log?size=-1").json["log"])
    assert "Too small" in log or "System memory" in log or "memory" in log, log


def test_system_exit_in_scala_ends_the_session_with_a_reason(server):
    session = server.session(kind="spark", conf={"spark.ui.enabled": "false"})
    server.post(f"/sessions/{session}/statements", {"code": "System.exit(3)"})
    view = server.until("it is dead", lambda: (v := server.get(f"/v1/sessions/{session}").json)["state"] == "dead" and v, 30)
    assert view["reason"]
    found = server.get(f"/sessions/{session}/statements/0").json
    assert found["state"] in ("available", "cancelled"), "its statements stay readable"


def test_log_is_whole_and_paged(server, scala):
    whole = server.get(f"/sessions/{scala}/log?size=-1").json
    assert whole["from"] == 0 and whole["total"] == len(whole["log"]) > 3
    page = server.get(f"/sessions/{scala}/logs?from=1&size=2").json
    assert page["log"] == whole["log"][1:3] and page["total"] >= whole["total"]
    tail = server.get(f"/sessions/{scala}/log?size=2").json
    assert tail["from"] == tail["total"] - 2 and len(tail["log"]) == 2


def test_delete_leaves_no_process_and_no_folder(server):
    session = server.session(kind="pyspark", conf={"spark.ui.enabled": "false"})
    work = server.data / "sessions" / str(session) / "work"
    assert work.exists() and any(str(work) in str(pathlib.Path(f"/proc/{p}/cwd").resolve()) for p in server.children())
    assert server.delete(f"/sessions/{session}").json == {"msg": "deleted"}
    assert not work.exists()
    assert server.get(f"/sessions/{session}").status == 404
    left = [p for p in server.children() if str(work) in str(pathlib.Path(f"/proc/{p}/cwd").resolve())]
    assert not left
