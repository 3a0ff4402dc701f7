"""The scripted kernel, whose port another process takes before its first start gets to it."""

import json
import pathlib
import runpy
import socket
import sys

connection, marker = json.load(open(sys.argv[1])), pathlib.Path("robbed")
if not marker.exists():
    marker.touch()
    import os

    robber = socket.socket()
    robber.bind(("127.0.0.1", connection["shell_port"]))
    robber.listen()
    if os.fork() == 0:
        os.setsid()
        os.chdir("/")
        robber.settimeout(3)
        try:
            while True:
                robber.accept()
        except OSError:
            os._exit(0)
    sys.exit("Address already in use")
runpy.run_path(str(pathlib.Path(__file__).parent / "scripted_kernel.py"), run_name="__main__")
