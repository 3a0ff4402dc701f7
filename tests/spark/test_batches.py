"""Batches on real Spark: Scala, Java, Python and R, their ends, their logs."""

import pathlib

import pytest

import applications

HERE = pathlib.Path(__file__).resolve().parent / "batches"
# Half of what a short-lived Spark costs is the second compiler's work.
CONF = {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1", "spark.ui.enabled": "false",
        "spark.master": "local[1]"}


@pytest.fixture(scope="session")
def jar(spark_home, tmp_path_factory):
    return str(applications.build(spark_home, tmp_path_factory.mktemp("applications")))


def post(server, file, *args, conf=None, **fields):
    made = server.post("/v1/batches", {"file": str(file), "args": list(args), "conf": {**CONF, **(conf or {})}, **fields})
    assert made.status == 201, made
    return made.json["id"]


def finish(server, batch):
    view = server.get(f"/v1/batches/{batch}?wait=240s", timeout=250).json
    return view, server.get(f"/v1/batches/{batch}/log?size=-1").json["log"]


@pytest.fixture(scope="session")
def posted(server, spark_home, jar):
    """All at once: they take their turns."""
    pi = spark_home / "examples" / "src" / "main" / "python" / "pi.py"
    return {
        "scala": post(server, jar, className="SparkPi"),
        "java": post(server, jar, "a", "b c", "", className="Words", name="words", env={"BATCH_VARIABLE": "x y"},
                     conf={"spark.test.setting": "a=b #c"}),
        "python": post(server, pi, "1"),
        "r": post(server, HERE / "hello.R", "a b"),
        "failing": post(server, jar, "fail", className="Words"),
        "missing": post(server, jar, className="NoSuchClass"),
    }


def test_sparkpi_in_scala_succeeds(server, posted):
    view, log = finish(server, posted["scala"])
    assert view["state"] == "success", log
    assert any(line.startswith("Pi is roughly 3.") for line in log)


def test_a_java_class_gets_its_arguments_settings_and_environment(server, posted):
    view, log = finish(server, posted["java"])
    assert view["state"] == "success", log
    for line in ("counted 3", "setting a=b #c", "variable x y", "name words"):
        assert line in log


def test_pi_in_python_succeeds_and_its_log_is_whole(server, posted):
    view, log = finish(server, posted["python"])
    assert view["state"] == "success", log
    assert any(line.startswith("Pi is roughly 3.") for line in log)
    assert any("Running Spark version" in line for line in log)  # the first lines and the last
    assert any("Shutdown hook called" in line for line in log[-5:])


def test_an_r_script_succeeds(server, posted):
    view, log = finish(server, posted["r"])
    assert view["state"] == "success", log
    assert "hello from R a b " in log


def test_an_r_script_uses_spark(server, spark_home):
    if not (spark_home / "R" / "lib" / "SparkR").is_dir():
        pytest.skip("no SparkR")
    view, log = finish(server, post(server, HERE / "sparkr.R"))
    assert view["state"] == "success", log
    assert any(line.startswith("counted 3") for line in log)


def test_an_application_that_throws_is_dead_with_the_exception_in_its_log(server, posted):
    view, log = finish(server, posted["failing"])
    assert (view["state"], view["reason"]) == ("dead", "exit status 1")
    assert any("meant to fail" in line for line in log)


def test_a_class_that_is_not_there_is_dead_and_named(server, posted):
    view, log = finish(server, posted["missing"])
    assert view["state"] == "dead"
    assert any("NoSuchClass" in line for line in log)


def test_a_running_application_is_killed_and_shows_its_ui_before(server, jar):
    batch = post(server, jar, "sleep", className="Words", conf={"spark.ui.enabled": "true", "spark.ui.port": "0"})
    server.until("it runs", lambda: "sleeping" in server.get(f"/v1/batches/{batch}/log?size=-1").json["log"], 200)
    ui = server.get(f"/batches/{batch}").json["appInfo"]["sparkUiUrl"]
    assert ui and ui.startswith("http://") and int(ui.rsplit(":", 1)[1]) > 0
    assert server.delete(f"/batches/{batch}").status == 200
    view, _ = finish(server, batch)
    assert (view["state"], view["deleted"]) == ("killed", True)
    assert view["appInfo"]["sparkUiUrl"] is None
