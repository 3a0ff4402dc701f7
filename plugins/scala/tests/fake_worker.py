"""A worker that speaks the protocol and obeys words: what a driver must cope with, on demand."""

import json
import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.environ["FAKES"])
from link_host import (  # noqa: E402
    CANCELLED, COMPLETE, DONE, EXECUTE, HELLO, INSPECT, INTERRUPT, OK, READY, REPLY, STOP, encode,
    read_frame)

start = json.loads(sys.stdin.readline())
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
out, err = os.dup(1), os.dup(2)
connection = socket.create_connection(("127.0.0.1", start["port"]))
channel = start["channel"]
if os.environ.get("EARLY_TEXT"):
    print(os.environ["EARLY_TEXT"], flush=True)
wrong = os.environ.get("WRONG_SECRET")
connection.sendall(encode(channel, HELLO, json.dumps(
    {"secret": "no" if wrong else start["secret"], "pid": os.getpid()})))
connection.sendall(encode(channel, READY, json.dumps({"pid": os.getpid()})))
interrupted = threading.Event()
vanished = threading.Event()


def done(statement, bundle, outcome=OK, pieces=False):
    marker = b"\0hearth:" + start["marker"].encode() + b":" + str(statement).encode() + b"\0"
    for descriptor in (out, err):
        if pieces:
            for i in range(len(marker)):
                os.write(descriptor, marker[i:i + 1])
                time.sleep(0.002)
        else:
            os.write(descriptor, marker)
    connection.sendall(encode(channel, DONE, json.dumps(bundle), outcome, statement))


def execute(statement, code):
    word, _, rest = code.partition(" ")
    if word == "print":
        os.write(1, rest.encode() + b"  \n")
        done(statement, {})
    elif word == "both":
        os.write(2, b"to stderr\n")
        os.write(1, b"to stdout\n")
        done(statement, {"application/json": 1})
    elif word == "pieces":
        os.write(1, b"before \0hearth:nearly a marker\0 \0")
        done(statement, {}, pieces=True)
    elif word == "latin":
        os.write(1, b"caf\xe9 \xe2\x98")
        time.sleep(0.2)
        os.write(1, b"\x83")
        done(statement, {})
    elif word == "child":
        os.system("echo from a child")
        done(statement, {})
    elif word == "quiet":
        done(statement, {"application/json": [1]}, OK | 0x80)
    elif word == "env":
        done(statement, {"application/json": {k: v for k, v in os.environ.items()}}, OK | 0x80)
    elif word == "big":
        line = b"x" * 1023 + b"\n"
        for _ in range(int(rest)):
            os.write(1, line)
        done(statement, {})
    elif word == "wait":
        os.write(1, b"waiting\n")
        interrupted.wait()
        interrupted.clear()
        done(statement, {}, CANCELLED)
    elif word == "exit":
        os.write(2, b"last words\n")
        os._exit(int(rest))
    elif word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "vanish":
        vanished.set()
        connection.shutdown(socket.SHUT_RDWR)
        time.sleep(60)


while True:
    try:
        frame = read_frame(connection)
    except ConnectionError:
        if vanished.is_set():
            time.sleep(60)
        raise
    if frame.type == EXECUTE:
        threading.Thread(target=execute, args=(frame.statement, frame.payload.decode()),
                         daemon=True).start()
    elif frame.type == INTERRUPT:
        interrupted.set()
    elif frame.type == COMPLETE:
        asked = json.loads(frame.payload)
        connection.sendall(encode(channel, REPLY, json.dumps(
            {"candidates": [asked["code"] + "!"]}), 0, frame.statement))
    elif frame.type == INSPECT:
        asked = json.loads(frame.payload)
        connection.sendall(encode(channel, REPLY, json.dumps(
            {"found": True, "data": {"text/plain": asked["code"] * (1 + asked["detail"])}}),
            0, frame.statement))
    elif frame.type == STOP:
        if os.environ.get("DEAF"):
            time.sleep(60)
        sys.exit(0)
