"""The driver's side of a worker, in Python: starts it, speaks its protocol, reads its descriptors."""

import collections
import json
import os
import queue
import socket
import struct
import subprocess
import threading

HELLO = 1
EXECUTE, INTERRUPT, COMPLETE, STOP, INSPECT = 16, 17, 18, 20, 23
READY, DONE, REPLY, DISPLAY = 32, 35, 36, 40
OK, ERROR, CANCELLED = 0, 1, 2

HEADER = struct.Struct(">IHBBQQ")
MARKER = "5ecret-marker"
CHANNEL = 2
LIMIT = 60

Result = collections.namedtuple("Result", "outcome bundle stdout stderr raw_outcome")


class Dead(Exception):
    """The worker is gone."""


class Output:
    """Reads one of the worker's descriptors and cuts what it reads at the markers."""

    def __init__(self, stream):
        self._stream = stream
        self._ended = {}
        self._buffer = bytearray()
        self._changed = threading.Condition()
        self.eof = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        begin = b"\0hearth:" + MARKER.encode() + b":"
        while True:
            piece = os.read(self._stream.fileno(), 1 << 20)
            with self._changed:
                self._changed.notify_all()
                if not piece:
                    self.eof = True
                    return
                looked_at = max(0, len(self._buffer) - len(begin) - 32)
                self._buffer += piece
                while True:
                    at = self._buffer.find(begin, looked_at)
                    end = self._buffer.find(b"\0", at + len(begin)) if at >= 0 else -1
                    if end < 0:
                        break
                    self._ended[int(self._buffer[at + len(begin) : end])] = bytes(self._buffer[:at])
                    del self._buffer[: end + 1]
                    looked_at = 0

    def pending(self):
        """What has come since the last marker."""
        with self._changed:
            return bytes(self._buffer)

    def wait_for(self, text):
        """Waits until what has come since the last marker holds text."""
        with self._changed:
            assert self._changed.wait_for(lambda: text in self._buffer, LIMIT), bytes(self._buffer)

    def of(self, statement):
        """What was printed before the statement's marker; waits for it."""
        with self._changed:
            assert self._changed.wait_for(lambda: statement in self._ended or self.eof, LIMIT), (
                "no marker"
            )
            if statement not in self._ended:
                raise Dead(bytes(self._buffer).decode("utf-8", "replace"))
            return self._ended.pop(statement)

    def rest(self):
        with self._changed:
            assert self._changed.wait_for(lambda: self.eof, LIMIT), "the descriptor stays open"
            return bytes(self._buffer)


class Worker:
    """A running worker. run() is all that most tests need."""

    def __init__(self, command, env=None):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(LIMIT)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, **(env or {})),
        )
        self.stdout = Output(self.process.stdout)
        self.stderr = Output(self.process.stderr)
        line = {
            "port": listener.getsockname()[1],
            "secret": "s3cret",
            "marker": MARKER,
            "channel": CHANNEL,
        }
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.close()
        self._socket, _ = listener.accept()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.close()
        self._frames = queue.Queue()
        self.displays = {}  # statement: the bundles that it has shown
        self._replies = queue.Queue()
        self._number = 0
        threading.Thread(target=self._read, daemon=True).start()
        kind, _, _, payload = self._next()
        self.hello = json.loads(payload)
        assert kind == HELLO
        kind, _, _, payload = self._next()
        assert kind == READY
        self.ready = json.loads(payload)

    def _read(self):
        stream = self._socket.makefile("rb")
        while True:
            header = stream.read(HEADER.size)
            if len(header) < HEADER.size:
                break
            length, channel, kind, outcome, statement, sequence = HEADER.unpack(header)
            assert (channel, sequence) == (CHANNEL, 0)
            frame = (kind, outcome, statement, stream.read(length))
            if kind == INTERRUPT:
                self.send(INTERRUPT, statement)  # it is left alone from here on
            elif kind == DISPLAY:
                shown = json.loads(frame[3], parse_constant=_no_constant)
                self.displays.setdefault(statement, []).append(shown)
            else:
                (self._replies if kind == REPLY else self._frames).put(frame)
        self._frames.put(None)
        self._replies.put(None)

    def _next(self, frames=None):
        frame = (frames or self._frames).get(timeout=LIMIT)
        if frame is None:
            raise Dead(self.stderr.rest().decode("utf-8", "replace"))
        return frame

    def send(self, kind, statement=0, payload=b""):
        self._socket.sendall(HEADER.pack(len(payload), CHANNEL, kind, 0, statement, 0) + payload)

    def start(self, code):
        """Sends a statement; returns its number."""
        self._number += 1
        self.send(EXECUTE, self._number, code.encode("utf-8", "surrogatepass"))
        return self._number

    def ended(self, statement):
        """Whether the statement's end has come; wait() tells which."""
        return any(frame and frame[:3:2] == (DONE, statement) for frame in list(self._frames.queue))

    def wait(self, statement):
        """The statement's result, with text/plain added as the driver does."""
        kind, raw, number, payload = self._next()
        assert kind == DONE and number == statement, (kind, number, statement)
        stdout, stderr = self.stdout.of(statement), self.stderr.of(statement)
        bundle = json.loads(payload.decode("utf-8"), parse_constant=_no_constant)
        outcome = raw & 0x7F
        if outcome == OK:
            text = (stdout + stderr).decode("utf-8", "replace").rstrip()
            if text or not raw & 0x80:
                bundle["text/plain"] = text
        return Result(
            outcome,
            bundle,
            stdout.decode("utf-8", "replace"),
            stderr.decode("utf-8", "replace"),
            raw,
        )

    def run(self, code):
        return self.wait(self.start(code))

    def ok(self, code):
        """Runs code that must succeed; returns its bundle."""
        result = self.run(code)
        assert result.outcome == OK, result
        return result.bundle

    def text(self, code):
        """Runs code that must succeed with text alone; returns the text."""
        bundle = self.ok(code)
        assert list(bundle) == ["text/plain"], bundle
        return bundle["text/plain"]

    def error(self, code):
        """Runs code that must fail; returns the error bundle."""
        result = self.run(code)
        assert result.outcome == ERROR, result
        assert list(result.bundle) == ["ename", "evalue", "traceback"]
        return result.bundle

    def interrupt(self, statement):
        self.send(INTERRUPT, statement)

    def complete(self, code, cursor=None):
        return self._ask(COMPLETE, code, cursor)["candidates"]

    def inspect(self, code, cursor=None, detail=0):
        """What is known of the name at the cursor, as text; None where nothing is."""
        answer = self._ask(INSPECT, code, cursor, detail=detail)
        assert sorted(answer) == ["data", "found"] and bool(answer["data"]) is answer["found"]
        return answer["data"].get("text/plain")

    def _ask(self, type, code, cursor, **more):
        payload = {"code": code, "cursor": len(code) if cursor is None else cursor, **more}
        self.send(type, 77, json.dumps(payload).encode())
        kind, status, request, payload = self._next(self._replies)
        assert (kind, status, request) == (REPLY, 0, 77)
        return json.loads(payload)

    def stop(self):
        self.send(STOP)
        return self.process.wait(LIMIT)

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
        self._socket.close()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()
            self.process.stderr.close()


def _no_constant(name):
    raise AssertionError("%s is no JSON" % name)
