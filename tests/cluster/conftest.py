"""Clusters for tests: started when the first test asks for one, ended with the run."""

import pytest

from clusters import Hdfs, Standalone, Yarn
from sparks import homes_for, version_of


def pytest_generate_tests(metafunc):
    if "spark_home" in metafunc.fixturenames:
        metafunc.parametrize("spark_home", homes_for(metafunc), ids=version_of, scope="session")


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
