"""Frames between the worker and its driver (plugin-api/doc/link.md, "Frames")."""

import json
import os
import socket
import struct
import threading

HELLO = 1
EXECUTE, INTERRUPT, COMPLETE, STOP, INSPECT = 16, 17, 18, 20, 23
READY, DONE, REPLY = 32, 35, 36

DONE_OK, DONE_ERROR, DONE_CANCELLED = 0, 1, 2
NO_EMPTY_TEXT = 0x80  # outcome bit: no text/plain where nothing was printed
STATUS_OK, STATUS_INTERNAL = 0, 7

_HEADER = struct.Struct(">IHBBQQ")
MAX_PAYLOAD = 64 << 20


class Link:
    """The worker's connection. Any thread may send; one thread receives."""

    def __init__(self, port, channel):
        self._channel = channel
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self._socket.makefile("rb", 1 << 16)
        self._sending = threading.Lock()
        self._left = b""

    def send(self, kind, statement=0, outcome=0, payload=b""):
        """Sends one frame. payload is bytes, or an object that becomes plain JSON."""
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode("ascii")
        frame = _HEADER.pack(len(payload), self._channel, kind, outcome, statement, 0) + payload
        with self._sending:
            self._drain()
            self._left = memoryview(frame)
            self._drain()

    def _drain(self):
        # What is left stays known, so that a frame is whole even where an exception broke into its
        # sending.
        while self._left:
            self._left = self._left[self._socket.send(self._left) :]

    def receive(self):
        """Returns (kind, statement, payload) of the next frame, or None when the driver is gone."""
        try:
            header = self._input.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return None
            length, _, kind, _, statement, _ = _HEADER.unpack(header)
            if length > MAX_PAYLOAD:
                return None
            payload = self._input.read(length) if length else b""
            return (kind, statement, payload) if len(payload) == length else None
        except (OSError, ValueError):
            return None

    def forked(self):
        """Closes the descriptor in a forked child; the connection stays the parent's."""
        os.close(self._socket.fileno())
