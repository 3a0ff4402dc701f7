"""Real Spark sessions through a real server, once per Spark version.

HEARTH_SPARKS names the Spark homes, separated by colons; default: those that script/setup --tests installs.
"""

import json
import os
import pathlib

import pytest

from harness import ROOT, Server


def spark_homes():
    named = os.environ.get("HEARTH_SPARKS")
    if named:
        return [pathlib.Path(home) for home in named.split(":")]
    return sorted((ROOT / ".spark").glob("*/pyspark"), reverse=True)


def version_of(home):
    return home.parent.name if home.name == "pyspark" else home.name


def pytest_generate_tests(metafunc):
    if "spark_home" in metafunc.fixturenames:
        # What is the same for all versions of Spark runs once, on the newest.
        any_spark = getattr(metafunc.module, "ANY_SPARK", False)
        # Two test processes can share the work: these are its pieces.
        metafunc.parametrize("spark_home", [
            pytest.param(home, id=version_of(home),
                         marks=pytest.mark.xdist_group(version_of(home) + (" for all" if any_spark else "")))
            for home in (spark_homes()[:1] if any_spark else spark_homes())], scope="session")


def serve(spark_home, tmp_path_factory):
    """A server with this Spark, as a context manager."""
    folder = tmp_path_factory.mktemp("spark-" + version_of(spark_home))
    # Half of what a short-lived Spark costs is the second compiler's work.
    (folder / "plugins.d").mkdir()
    (folder / "plugins.d" / "scala.json").write_text(json.dumps(
        {"manifest_version": 1, "config": {"driver_java_options": "-XX:TieredStopAtLevel=1"}}))
    settings = {"cancel.grace": "10s", "session.close_time": "15s", "batch.concurrent": "3"}
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
