"""The fault points of host/support/FaultPoints.inc."""

import re

import harness

LIST = harness.ROOT / "host" / "support" / "FaultPoints.inc"
# What can be done at any point, and what only at those that say so.
ALWAYS = ("kill", "stop", "delay:100")


def load():
    """{name: (action, ...)} in the order of the file."""
    found = re.findall(r'^FAULT_POINT\("([^"]+)", "([^"]*)"\)', LIST.read_text(), re.MULTILINE)
    return {name: ALWAYS + tuple(more.split()) for name, more in found}


POINTS = load()


def owner(name):
    """host, supervise or driver: the program that passes the point."""
    first = name.split(".")[0]
    return first if first in ("supervise", "driver") else "host"
