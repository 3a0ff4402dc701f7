"""Real Spark sessions through a real server, once per Spark version."""

import json

import pytest

from harness import Server
from sparks import homes_for, is_for_any, version_of


def pytest_generate_tests(metafunc):
    if "spark_home" in metafunc.fixturenames:
        any_spark = is_for_any(metafunc)
        # Two test processes can share the work: these are its pieces.
        metafunc.parametrize("spark_home", [
            pytest.param(home, id=version_of(home),
                         marks=pytest.mark.xdist_group(version_of(home) + (" for all" if any_spark else "")))
            for home in homes_for(metafunc)], scope="session")


def serve(spark_home, tmp_path_factory, more=None):
    """A server with this Spark, as a context manager; `more` are settings."""
    folder = tmp_path_factory.mktemp("spark-" + version_of(spark_home))
    # Half of what a short-lived Spark costs is the second compiler's work.
    (folder / "plugins.d").mkdir()
    (folder / "plugins.d" / "scala.json").write_text(json.dumps(
        {"manifest_version": 1, "config": {"driver_java_options": "-XX:TieredStopAtLevel=1"}}))
    settings = {"cancel.grace": "10s", "session.close_time": "15s", "batch.concurrent": "3",
                **(more or {})}
    return Server(folder, settings, env={"SPARK_HOME": str(spark_home)})


@pytest.fixture(scope="session")
def server(spark_home, tmp_path_factory):
    with serve(spark_home, tmp_path_factory) as running:
        yield running


@pytest.fixture(scope="session")
def scala(server):
    """A Scala session that tests share; its other languages join the same context."""
    return server.session(kind="spark", conf={"spark.ui.enabled": "false", "spark.master": "local[2]"})


@pytest.fixture(scope="session")
def python(server):
    """A Python session that tests share."""
    return server.session(kind="pyspark", conf={"spark.ui.enabled": "false"})
