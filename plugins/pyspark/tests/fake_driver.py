"""A Python worker under the driver's side of its protocol."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "tests", "fakes"))

import worker_driver  # noqa: E402
from worker_driver import *  # noqa: E402, F403

REPL = os.path.join(os.path.dirname(HERE), "repl")


class Worker(worker_driver.Worker):
    def __init__(self, python=None, env=None, script=None):
        python = python or os.environ.get("WORKER_PYTHON", sys.executable)
        super().__init__([python, "-u", script or os.path.join(REPL, "worker.py")],
                         {"PYTHONHASHSEED": "0", **(env or {})})
