"""Clusters for tests: started when the first test asks for one, ended with the run.

HEARTH_SPARKS names the Spark homes, separated by colons; default: those that script/setup --tests installs.
"""

import os
import pathlib

import pytest

from clusters import ROOT, Hdfs, Standalone, Yarn


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


@pytest.fixture(scope="session")
def yarn(tmp_path_factory):
    """A ResourceManager with a NodeManager; files on the local disk."""
    with Yarn(tmp_path_factory.mktemp("yarn")) as running:
        yield running


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory):
    """A NameNode with a DataNode."""
    with Hdfs(tmp_path_factory.mktemp("hdfs")) as running:
        yield running


@pytest.fixture(scope="session")
def standalone(spark_home, tmp_path_factory):
    """Master and Worker of the test's Spark."""
    with Standalone(tmp_path_factory.mktemp("standalone-" + version_of(spark_home)), spark_home) as running:
        yield running
