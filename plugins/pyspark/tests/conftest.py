import importlib.util
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import fake_driver  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "spark: needs a Spark; HEARTH_TEST_SPARK_HOMES or SPARK_HOME says where (':' between)",
    )


@pytest.fixture
def worker():
    """A worker of the test's own."""
    started = fake_driver.Worker()
    yield started
    started.close()


@pytest.fixture(scope="module")
def shared():
    """One worker for all the tests of a module: whatever a test does to it, the next must not notice."""
    started = fake_driver.Worker()
    yield started
    assert started.text("1+1") == "2"
    started.close()


@pytest.fixture(scope="session")
def modules():
    """The worker's modules, for tests without a process."""
    spec = importlib.util.spec_from_file_location(
        "hearth_worker_loader", os.path.join(fake_driver.REPL, "worker.py")
    )
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    return loader.load
