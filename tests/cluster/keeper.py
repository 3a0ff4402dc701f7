"""Keeps the processes of a cluster for a test, and ends all of them for sure.

Reads one line of JSON on stdin: [{"name", "argv", "env", "cwd", "log"}, ...], starts these and answers "started".
It ends them when its stdin ends, so also when the test run is killed, and with them whatever they have started: an
orphan of a daemon, such as a container of YARN, becomes a child of the keeper's. A daemon that ends by itself is
told as a line "ended NAME STATUS".
"""

import contextlib
import ctypes
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
prctl = ctypes.CDLL(None, use_errno=True).prctl


def dies_with_parent():
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def descendants():
    """Pids of all that run below this process, children first."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":
                    children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, front = [], [os.getpid()]
    while front:
        front = [child for parent in front for child in children.get(parent, [])]
        found += front
    return found


def reap():
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def end_all(daemons):
    """SIGTERM to the daemons, which lets a NodeManager end its containers; then SIGKILL to all that is left."""
    for daemon in daemons:
        with contextlib.suppress(ProcessLookupError):
            os.kill(daemon.pid, signal.SIGTERM)
    for number, grace in ((None, 3), (signal.SIGKILL, 10)):
        end = time.monotonic() + grace
        while left := descendants():
            if time.monotonic() > end:
                break
            if number:
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
            time.sleep(0.02)
            reap()


def main():
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    daemons = {}
    try:
        for what in json.loads(sys.stdin.readline()):
            with open(what["log"], "ab") as log:
                daemons[what["name"]] = subprocess.Popen(
                    what["argv"], env=what["env"], cwd=what["cwd"], stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=dies_with_parent)
        print("started", flush=True)
        told = set()
        while not select.select([sys.stdin], [], [], 0.2)[0]:
            for name, daemon in daemons.items():
                if name not in told and daemon.poll() is not None:
                    told.add(name)
                    print("ended", name, daemon.returncode, flush=True)
    finally:
        end_all(daemons.values())


main()
