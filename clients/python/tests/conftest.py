"""The client against real servers: with the echo plugin, and with one Spark session."""

import pathlib
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "clients" / "python")]

import harness  # noqa: E402
import hearth  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server whose sessions are ready in milliseconds."""
    plugins = tmp_path_factory.mktemp("plugins")
    (plugins / "echo").mkdir()
    shutil.copy(harness.build_dir() / "plugins" / "echo" / "echo.so", plugins / "echo")
    settings = {"session.shared_kind": "echo", "session.close_time": "2s", "cancel.grace": "1s"}
    with harness.Server(tmp_path_factory.mktemp("echo"), settings, plugins) as running:
        running.url = "http://127.0.0.1:%d" % running.port
        yield running


@pytest.fixture
def session(server):
    with hearth.Session(server.url, kind="echo") as made:
        yield made


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """A session of Spark's, for all tests that need one."""
    homes = sorted((ROOT / ".spark").glob("*/pyspark"))
    home = harness.os.environ.get("SPARK_HOME") or (str(homes[-1]) if homes else None)
    assert home, "these tests want a Spark: run script/setup --tests, or set SPARK_HOME"
    with harness.Server(tmp_path_factory.mktemp("spark"), env={"SPARK_HOME": home}) as running:
        url = "http://127.0.0.1:%d" % running.port
        conf = {"spark.ui.enabled": "false", "spark.master": "local[2]"}
        with hearth.Session(url, kind="pyspark", name="clients", conf=conf) as made:
            made.url = url
            yield made
