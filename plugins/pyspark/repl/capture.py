"""Descriptors 0, 1 and 2, the text streams on them, and the markers that say where a statement's
output ends.
"""

import fcntl
import io
import os
import resource
import sys

try:
    import ctypes

    _flush_c_streams = ctypes.CDLL(None).fflush
    _flush_c_streams.argtypes = [ctypes.c_void_p]
except (
    ImportError,
    OSError,
    AttributeError,
):  # a Python without ctypes has no C streams of its own to speak of

    def _flush_c_streams(_all):
        return 0


class Capture:
    """Owns private duplicates of 1 and 2, to which no user code writes. All methods but forked():
    main thread.
    """

    def __init__(self, marker):
        self._marker = b"hearth:" + marker.encode("utf-8") + b":"
        # High numbers, so that a loop that closes 3 to some small number does not meet them.
        lowest = max(3, min(900, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 16))
        self._private = {fd: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest) for fd in (1, 2)}
        self._identity = {fd: _identity(private) for fd, private in self._private.items()}
        self._null_input()
        self._streams = {}
        self.restore()

    @property
    def error_descriptor(self):
        return self._private[2]

    def restore(self):
        """Puts back descriptors and streams that user code has closed or replaced."""
        for fd, private in self._private.items():
            if _identity(fd) != self._identity[fd]:
                os.dup2(private, fd)
            if not os.get_blocking(fd):
                os.set_blocking(fd, True)
        if _identity(0) is None:
            self._null_input()
        for fd, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
            stream = self._streams.get(fd)
            if stream is None or not _usable(stream):
                stream = self._streams[fd] = _open(fd)
            setattr(sys, name, stream)
            setattr(sys, "__%s__" % name, stream)

    def flush(self):
        """Writes out what Python and C hold back, wherever 1 and 2 lead now. Never raises."""
        for fd in (1, 2):
            try:
                self._streams[fd].flush()
            except (OSError, ValueError):
                pass  # closed, or nobody reads: restore() and the next flush see to it
        _flush_c_streams(None)

    def finish(self, statement):
        """Ends a statement's output: flushes, restores, writes both markers."""
        self.flush()
        self.restore()
        self.flush()
        mark = b"\0" + self._marker + str(statement).encode("ascii") + b"\0"
        for private in self._private.values():
            left = memoryview(mark)
            while left:
                left = left[os.write(private, left) :]

    def forked(self):
        """Closes the private duplicates in a forked child."""
        for private in self._private.values():
            os.close(private)

    def _null_input(self):
        null = os.open(os.devnull, os.O_RDONLY)
        if null != 0:
            os.dup2(null, 0)
            os.close(null)
        os.set_inheritable(0, True)


def _identity(fd):
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _usable(stream):
    try:
        return not stream.closed and stream.fileno() >= 0
    except ValueError:
        return False


def _open(fd):
    raw = io.FileIO(fd, "r" if fd == 0 else "w", closefd=False)
    name = {0: "<stdin>", 1: "<stdout>", 2: "<stderr>"}[fd]
    raw.name = name
    if fd == 0:
        return io.TextIOWrapper(io.BufferedReader(raw), encoding="utf-8", errors="surrogateescape")
    # Lone surrogates and the like are printed escaped: what reaches the driver is UTF-8.
    stream = io.TextIOWrapper(
        io.BufferedWriter(raw, 1 << 16),
        encoding="utf-8",
        errors="backslashreplace",
        newline="\n",
        line_buffering=True,
    )
    stream.mode = "w"
    return stream
