"""A statement or a session as a stream of events: server-sent events where the server has them; a
statement is polled else.
"""

import json
import time

from .errors import HttpError

FINAL = ("available", "cancelled")
_QUIET = 90  # seconds without a line, not even a comment: the connection is taken for dead
_PAUSES = (0.1, 0.5, 1, 2, 5)
_POLL = 1


def follow(http, path, deadline=None):
    """Yields (event, data) of the statement at path until its end. The last is ("state", view)
    with the whole view. Events: "output" {"stream", "text"}, "display" (a MIME bundle), "progress"
    {"progress"}, "state". What was printed comes once and whole, also where the connection is lost
    on the way. Raises TimeoutError at the deadline (of time.monotonic()).
    """
    return _follow(http, path, deadline, "output", _poll)


def follow_session(http, path, deadline=None):
    """Yields (event, data) of the session at path until its end. Events: "state" {"state",
    "reason"}, "statement" {"id", "kind", "state", "outcome"}, "log" {"from", "lines"}, "missed"
    {"events"}. The last is ("state", view) with the whole view. Raises TimeoutError at the deadline.
    """
    return _follow(http, path, deadline, "ended", None)


def _follow(http, path, deadline, mark, poll):
    """mark: the field that only the last event's view has."""
    last = None
    failures = 0
    while True:
        try:
            for ident, name, data in _stream(http, path, last, deadline):
                last, failures = ident, 0
                yield name, data
                if name == "state" and mark in data:
                    return
        except HttpError as error:
            if error.status not in (404, 405, 406) or poll is None:
                raise
            if last is None:  # a server without events; without the statement, too, it may be
                yield from poll(http, path, deadline)
                return
            raise
        except (OSError, ValueError):
            if failures >= len(_PAUSES):
                raise
        _check(deadline, path)
        if failures < len(_PAUSES):
            time.sleep(_PAUSES[failures])
        failures += 1


def _stream(http, path, last, deadline):
    headers = {"Accept": "text/event-stream"}
    if last is not None:
        headers["Last-Event-ID"] = last
    with http.stream(path + "/events", headers, _patience(deadline)) as response:
        fields = {}
        for line in response:
            line = line.decode("utf-8").rstrip("\r\n")
            if not line:
                if "event" in fields:
                    yield fields.get("id", last), fields["event"], json.loads(fields["data"])
                fields = {}
                _check(deadline, path)
                continue
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "data" and "data" in fields:
                value = fields["data"] + "\n" + value
            fields[name] = value


def _poll(http, path, deadline):
    """The same from views. Only what a view holds of the printed text is seen."""
    seen = {"stdout": 0, "stderr": 0}
    displays = 0
    progress = state = None
    while True:
        wait = _POLL if deadline is None else min(_POLL, max(0.0, deadline - time.monotonic()))
        view = http.get(path, wait="%dms" % (wait * 1000), timeout=http.timeout + wait)
        for stream, had in seen.items():
            text = view.get(stream) or ""
            if len(text) > had:
                seen[stream] = len(text)
                yield "output", {"stream": stream, "text": text[had:]}
        for bundle in (view.get("displays") or [])[displays:]:
            displays += 1
            yield "display", bundle
        if view["state"] in FINAL:
            yield "state", view
            return
        if view.get("progress") != progress:
            progress = view.get("progress")
            yield "progress", {"progress": progress}
        if view["state"] != state:
            state = view["state"]
            yield "state", {"id": view["id"], "state": state}
        _check(deadline, path)


def _patience(deadline):
    return _QUIET if deadline is None else max(0.01, min(_QUIET, deadline - time.monotonic()))


def _check(deadline, path):
    if deadline is not None and time.monotonic() >= deadline:
        raise TimeoutError("%s has not ended in time; it goes on" % path)
