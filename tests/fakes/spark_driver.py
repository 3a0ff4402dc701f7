"""Drivers to test: real ones, run by spark-submit, against the fake host. Fixtures for the conftest.py of plugins.

SPARK_HOME, or HEARTH_TEST_SPARK_HOMES with ':' between several, says on which Spark;
HEARTH_DRIVER_JAR, or HEARTH_BUILD, where the driver is.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "plugin-api" / "kit"))

import link_host  # noqa: E402

HOMES = [home for home in os.environ.get(
    "HEARTH_TEST_SPARK_HOMES", os.environ.get("SPARK_HOME", "")).split(":") if home]
START_SECONDS = 300
# Half of what a short-lived Spark costs is the second compiler's work.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"


def driver_jar():
    build = pathlib.Path(os.environ.get("HEARTH_BUILD", ROOT / "build" / "release"))
    return os.environ.get("HEARTH_DRIVER_JAR", str(build / "plugins/scala/hearth-driver.jar"))


def wait_until(condition, seconds=30):
    """For what tells no one when it happens, such as the end of somebody else's child."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


class Driver:
    """A driver with its host."""

    def __init__(self, home, folder, conf=None, **host_options):
        self.home = home
        self.folder = folder
        self.log = folder / "driver.log"
        self.host = link_host.LinkHost(str(folder), **host_options)
        settings = {"spark.master": "local[2]", "spark.ui.enabled": "false",
                    "spark.sql.warehouse.dir": str(folder / "warehouse"), **(conf or {})}
        command = [home + "/bin/spark-submit", "--class", "io.hearth.driver.Main",
                   "--driver-java-options", JAVA_OPTIONS]
        for key, value in settings.items():
            command += ["--conf", key + "=" + value]
        self.started = time.monotonic()
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                command + [driver_jar()], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
                env={**os.environ, "SPARK_HOME": home, "HEARTH_LINK_FILE": self.host.link_file})

    def prepare(self):
        self.host.send(1, link_host.PREPARE)
        self.host.wait(lambda f: f.type == link_host.READY and f.channel == 1, START_SECONDS)
        print("%s: ready after %.1f s" % (self.home, time.monotonic() - self.started))
        return self

    def info(self):
        frame = self.host.wait(lambda f: f.type == link_host.INFO, START_SECONDS)
        return json.loads(frame.payload)

    def run(self, code, timeout=120):
        return self.host.run(1, code, timeout)

    def text(self, code):
        """The text/plain of code that goes well."""
        outcome, bundle = self.run(code)
        assert outcome == link_host.OK, bundle
        return bundle["text/plain"]

    def error(self, code):
        outcome, bundle = self.run(code)
        assert outcome == link_host.ERROR, bundle
        return bundle

    def wait_until_running(self, statement):
        """Until the statement has printed something."""
        self.host.wait(lambda f: f.type == link_host.OUTPUT and f.statement == statement)

    def exit_status(self, timeout=60):
        return self.process.wait(timeout)

    def processes(self):
        """What is left of the driver's process group."""
        found = subprocess.run(["ps", "-o", "pid=,args=", "-g", str(self.process.pid)],
                               stdout=subprocess.PIPE, text=True)
        return [line for line in found.stdout.splitlines() if "<defunct>" not in line]

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.host.close()


def version_of(home):
    """Of .spark/4.3.0/pyspark the 4.3.0, else the folder's name."""
    path = pathlib.Path(home)
    return path.parent.name if path.name == "pyspark" else path.name


def pytest_generate_tests(metafunc):
    if "spark_home" in metafunc.fixturenames:
        # What does not touch the REPL is the same for all versions of Spark.
        homes = HOMES[:1] if getattr(metafunc.module, "ANY_SPARK", False) else HOMES
        # Two test processes can share the work, one version each.
        metafunc.parametrize("spark_home", [
            pytest.param(home, id=version_of(home), marks=pytest.mark.xdist_group(version_of(home)))
            for home in homes
        ] or [pytest.param(
            None, id="none", marks=pytest.mark.skip(reason="neither SPARK_HOME nor HEARTH_TEST_SPARK_HOMES"))],
            scope="session")


@pytest.fixture(scope="session")
def shared(spark_home, tmp_path_factory):
    """One driver for all tests that leave it usable."""
    driver = Driver(spark_home, tmp_path_factory.mktemp("driver"))
    try:
        yield driver.prepare()
    finally:
        driver.close()


@pytest.fixture
def driver(shared):
    """The shared driver, which must work before and after each test."""
    yield shared
    assert shared.text("40 + 2").endswith(": Int = 42\n")


@pytest.fixture
def start(spark_home, tmp_path):
    """Starts a driver of the test's own."""
    drivers = []

    def make(**options):
        drivers.append(Driver(spark_home, tmp_path, **options))
        return drivers[-1]

    yield make
    for made in drivers:
        made.close()
