"""Real Spark sessions through a real server, once per Spark version.

HEARTH_SPARKS names the Spark homes, separated by colons; default: those that script/setup --tests installs.
"""

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
        homes = spark_homes()[:1] if getattr(metafunc.module, "ANY_SPARK", False) else spark_homes()
        metafunc.parametrize("spark_home", homes, ids=version_of, scope="session")


def serve(spark_home, tmp_path_factory):
    """A server with this Spark, as a context manager."""
    folder = tmp_path_factory.mktemp("spark-" + version_of(spark_home))
    settings = {"cancel.grace": "10s", "session.close_time": "15s"}
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
