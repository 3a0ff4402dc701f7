import os
import pathlib
import signal
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tests" / "fakes"))

from spark_driver import *  # noqa: E402, F403
import worker_driver  # noqa: E402

REPL = HERE.parent / "repl"


def descendants(pid):
    found = []
    children = pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()
    for child in map(int, children):
        found += [child, *descendants(child)]
    return found


class Worker(worker_driver.Worker):
    """An R worker without Spark, with the folder and the command that the driver would give it."""

    def __init__(self, folder, env=None):
        for file in REPL.glob("*.R"):
            (folder / file.name).write_text(file.read_text())
        self.folder = folder
        super().__init__(
            ["R", "--no-echo", "--no-restore", "--no-save", "--file=%s/worker.R" % folder, "--args",
             str(folder)],
            {"HEARTH_R_PLAIN": "1", "SPARK_HOME": "/nonexistent", **(env or {})})

    def interrupt(self, statement):
        """As the driver: the process and all that it has started."""
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            os.kill(pid, signal.SIGINT)

    def interrupt_until_it_ends(self, statement):
        """R is deaf to the signal while it waits for a child: the driver sends it again."""
        while not self.ended(statement):
            self.interrupt(statement)
            time.sleep(0.1)


@pytest.fixture
def start(tmp_path):
    """Starts a worker of the test's own."""
    workers = []

    def make(**options):
        workers.append(Worker(tmp_path, **options))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


@pytest.fixture(scope="module")
def r(tmp_path_factory):
    """One worker for all the tests of a module: whatever one does to it, the next must not notice."""
    worker = Worker(tmp_path_factory.mktemp("r"))
    yield worker
    assert worker.text("1 + 1") == "[1] 2"
    assert not list(worker.folder.glob("*.png"))
    worker.close()
