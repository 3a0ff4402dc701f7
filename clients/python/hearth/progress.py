"""Live output in a terminal."""

import sys


class ProgressBar:
    """A bar on one line of a terminal, `[######....]  60%`. Where the stream is none, nothing."""

    def __init__(self, stream=None, width=30):
        self._stream = sys.stderr if stream is None else stream
        self._width = width
        self._terminal = hasattr(self._stream, "isatty") and self._stream.isatty()
        self._drawn = ""

    def update(self, fraction):
        """Draws the bar anew; fraction is of 0 to 1."""
        fraction = min(1.0, max(0.0, fraction))
        done = int(fraction * self._width)
        bar = "[%s%s] %3d%%" % ("#" * done, "." * (self._width - done), fraction * 100)
        if self._terminal and bar != self._drawn:
            self._stream.write("\r" + bar)
            self._stream.flush()
            self._drawn = bar

    def clear(self):
        """Takes the bar away, so that a line can be printed in its place."""
        if self._drawn:
            self._stream.write("\r" + " " * len(self._drawn) + "\r")
            self._stream.flush()
            self._drawn = ""


class Live:
    """Shows events of a statement as they come: its text on stdout and stderr, and a bar."""

    def __init__(self, out=None, err=None):
        self._out = sys.stdout if out is None else out
        self._err = sys.stderr if err is None else err
        self._bar = ProgressBar(self._err)
        self._fraction = 0.0

    def __call__(self, event, data):
        if event == "output":
            self._bar.clear()
            stream = self._err if data["stream"] == "stderr" else self._out
            stream.write(data["text"])
            stream.flush()
            if data["text"].endswith("\n") and self._fraction:
                self._bar.update(self._fraction)
        elif event == "progress":
            self._fraction = data["progress"]
            self._bar.update(self._fraction)
        elif event == "state" and data.get("state") in ("available", "cancelled"):
            self._bar.clear()
