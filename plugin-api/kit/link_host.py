"""A host to try drivers against: the other side of plugin-api/doc/link.md.

    host = LinkHost(folder)                    # writes host.link_file, listens
    ... start the driver with HEARTH_LINK_FILE=host.link_file ...
    host.send(1, PREPARE)
    host.wait(lambda f: f.type == READY)
    outcome, bundle = host.run(1, "1 + 1")
"""

import hashlib
import hmac
import json
import os
import secrets
import select
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections import namedtuple

HELLO, CHALLENGE, PROOF, WELCOME, REFUSED, ACK = 1, 2, 3, 4, 5, 6
EXECUTE, INTERRUPT, COMPLETE, OPEN, STOP, PREPARE, SHARED, INSPECT = 16, 17, 18, 19, 20, 21, 22, 23
READY, OUTPUT, PROGRESS, DONE, REPLY, FAILED, INFO, BYE, DISPLAY = 32, 33, 34, 35, 36, 37, 38, 39, 40
OK, ERROR, CANCELLED, INCOMPLETE, LOST = 0, 1, 2, 3, 4
STDOUT, STDERR = 1, 2
WITH_OPTIONS = 1  # outcome of an EXECUTE that carries options beside its code

HEADER = struct.Struct(">IHBBQQ")

Frame = namedtuple("Frame", "channel type outcome statement sequence payload")


def encode(channel, type, payload=b"", outcome=0, statement=0, sequence=0):
    payload = payload.encode() if isinstance(payload, str) else payload
    return HEADER.pack(len(payload), channel, type, outcome, statement, sequence) + payload


def read_exactly(connection, count):
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(min(count - len(data), 1 << 20))
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return bytes(data)


def read_frame(connection):
    length, channel, type, outcome, statement, sequence = HEADER.unpack(
        read_exactly(connection, HEADER.size))
    return Frame(channel, type, outcome, statement, sequence, read_exactly(connection, length))


def _no_json(name):
    raise AssertionError(name + " is no JSON")


class _Tls:
    """A TLS connection that two threads may use: Python's own may not be read and written at once."""

    def __init__(self, connection, context):
        self._tls = context.wrap_socket(connection, server_side=True)
        self._tls.setblocking(False)
        self._lock = threading.Lock()

    def recv(self, count):
        while True:
            with self._lock:
                try:
                    return self._tls.recv(count)
                except ssl.SSLWantReadError:
                    pass
            select.select([self._tls], [], [], 10)

    def sendall(self, data):
        view = memoryview(data)
        while view:
            with self._lock:
                try:
                    view = view[self._tls.send(view):]
                    continue
                except ssl.SSLWantWriteError:
                    pass
            select.select([], [self._tls], [], 10)

    def shutdown(self, how):
        socket.socket.shutdown(self._tls, how)

    def close(self):
        self._tls.close()


def _certificate(folder):
    """A context with a new certificate, and the certificate's pin."""
    pem = os.path.join(folder, "host.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "1", "-subj", "/CN=test", "-keyout", pem, "-out", pem + ".crt"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem + ".crt", pem)
    with open(pem + ".crt") as file:
        return context, hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()


class LinkHost:
    """One session's end of the link. Keeps every frame that came in `frames`. With `tls` it listens as for drivers on
    other machines; `pin` is then what the link file says, where it is not the truth."""

    def __init__(self, folder, unix=True, orphan_seconds=600, honest=True, acks=True, tls=False, pin=None):
        self.session = "7"
        self.secret = secrets.token_bytes(32)
        self.honest = honest  # False: proves a wrong secret
        self.acks = acks  # False: acknowledges nothing
        self.frames = []
        self.repeated = 0  # frames that came again
        self.connections = 0  # that were authenticated
        self.attempts = 0
        self._received = 0
        self._sequence = 0
        self._statement = 0
        self._unacknowledged = []
        self._connection = None
        self._changed = threading.Condition(threading.RLock())
        self._tls = None
        link = {}
        if unix and not tls:
            path = os.path.join(folder, "link.sock")
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(path)
            endpoint = "unix:" + path
        else:
            self._listener = socket.socket()
            self._listener.bind(("127.0.0.1", 0))
            endpoint = "%s:127.0.0.1:%d" % ("tls" if tls else "tcp", self._listener.getsockname()[1])
        if tls:
            self._tls, true_pin = _certificate(folder)
            link["pin"] = pin or true_pin
        self._listener.listen()
        self.link_file = os.path.join(folder, "link.json")
        descriptor = os.open(self.link_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"protocol": 1, "session": self.session, "endpoint": endpoint,
                       "secret": self.secret.hex(), "orphan_seconds": orphan_seconds, **link}, file)
        threading.Thread(target=self._accept, daemon=True).start()

    # What a test does ---------------------------------------------------------------------------

    def send(self, channel, type, payload=b"", statement=0, outcome=0):
        with self._changed:
            self._sequence += 1
            data = encode(channel, type, payload, outcome, statement, self._sequence)
            self._unacknowledged.append((self._sequence, data))
            self._write(data)

    def send_raw(self, data):
        with self._changed:
            self._write(data)

    def execute(self, channel, code, outcome=0):
        """Sends the code. Returns the statement's number."""
        with self._changed:
            self._statement += 1
            number = self._statement
            self.send(channel, EXECUTE, code, number, outcome)
            return number

    def run(self, channel, code, timeout=120):
        """Runs the code to its end. Returns the outcome and the bundle."""
        return self.result(self.execute(channel, code), timeout)

    def result(self, statement, timeout=120):
        done = self.wait(lambda f: f.type == DONE and f.statement == statement, timeout)
        return done.outcome, json.loads(done.payload, parse_constant=_no_json)

    def printed(self, statement, stream=None):
        with self._changed:
            return b"".join(f.payload for f in self.frames
                            if f.type == OUTPUT and f.statement == statement
                            and stream in (None, f.outcome)).decode()

    def wait(self, wanted, timeout=120):
        """Returns the first frame, also of those that have come, that `wanted` says yes to."""
        seen = 0
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                for frame in self.frames[seen:]:
                    if wanted(frame):
                        return frame
                seen = len(self.frames)
                left = end - time.monotonic()
                if left <= 0:
                    last = [f._replace(payload=f.payload[:200]) for f in self.frames[-5:]]
                    raise TimeoutError("no such frame; the last were %s" % last)
                self._changed.wait(left)

    def wait_for(self, condition, timeout=30):
        """Waits until condition() is true."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError("it did not come true")

    def drop(self):
        """Cuts the connection; the driver may dial again."""
        with self._changed:
            if self._connection is not None:
                self._hang_up(self._connection)

    def lose(self, statement):
        """Cuts the connection, and forgets the last frames, which are the statement's: a host that
        died before it could store them. To be used without acks."""
        with self._changed:
            self.drop()
            kept = [f for f in self.frames if f.statement != statement]
            self._received -= len(self.frames) - len(kept)
            self.frames = kept

    @property
    def last_sequence(self):
        """The number of the last frame that was sent."""
        with self._changed:
            return self._sequence

    def close(self):
        self._hang_up(self._listener)  # close() alone would let the accept that waits have one more
        self._listener.close()
        self.drop()

    # The other end ------------------------------------------------------------------------------

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with self._changed:
                self.attempts += 1
                self._changed.notify_all()
            if self._tls is not None:
                connection = _Tls(connection, self._tls)
            self._shake_hands(connection)
            while True:
                self._take(read_frame(connection))
        except (OSError, ConnectionError):
            pass
        finally:
            connection.close()
            with self._changed:
                if self._connection is connection:
                    self._connection = None
                self._changed.notify_all()

    def _proof(self, text):
        secret = self.secret if self.honest else bytes(32)
        return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()

    def _shake_hands(self, connection):
        hello = read_frame(connection)
        said = json.loads(hello.payload)
        assert hello.type == HELLO and said["protocol"] == 1 and said["session"] == self.session
        mine = secrets.token_hex(32)
        nonces = said["nonce"] + ":" + mine
        connection.sendall(encode(0, CHALLENGE, json.dumps(
            {"nonce": mine, "proof": self._proof("host:" + nonces)})))
        proof = read_frame(connection)
        assert proof.type == PROOF
        with self._changed:
            if json.loads(proof.payload)["proof"] != self._proof("driver:" + nonces):
                connection.sendall(encode(0, REFUSED, json.dumps({"reason": "wrong proof"})))
                raise ConnectionError("wrong proof")
            connection.sendall(encode(0, WELCOME, json.dumps({"received": self._received})))
            if self._connection is not None:
                self._hang_up(self._connection)
            self._connection = connection
            self.connections += 1
            self._forget(said["received"])
            for _, data in self._unacknowledged:
                connection.sendall(data)
            self._changed.notify_all()

    def _take(self, frame):
        with self._changed:
            if frame.channel == 0:
                assert frame.type == ACK
                self._forget(frame.sequence)
                return
            if frame.sequence <= self._received:
                self.repeated += 1
                return
            assert frame.sequence == self._received + 1, "a gap in the sequence"
            self._received = frame.sequence
            self.frames.append(frame)
            if self.acks:
                self._write(encode(0, ACK, sequence=self._received))
            self._changed.notify_all()

    def _forget(self, sequence):
        self._unacknowledged = [f for f in self._unacknowledged if f[0] > sequence]

    def _write(self, data):
        if self._connection is not None:
            try:
                self._connection.sendall(data)
            except OSError:
                pass  # it goes again over the next connection

    @staticmethod
    def _hang_up(connection):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
