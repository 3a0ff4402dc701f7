"""Sessions."""

import json
import time

from . import events
from .errors import HttpError, SessionError, StatementError
from .http import Http, segment
from .progress import Live
from .result import Result
from .shared import SharedRdd

_WAIT = 30  # seconds of one long poll
_OVER = ("shutting_down", "error", "dead", "killed", "success")


class Session:
    """A session on a server. A new one, or (Session.attach) one that is there.

    Session("http://host:8998", kind="pyspark", name="etl", conf={"spark.executor.memory": "2g"})
    creates one and waits until it is ready; further keywords are the fields of the server's create
    request (driverMemory, jars, pyFiles, ...). As a context manager it ends a session that it has
    created, and leaves one that it was attached to.

    Threads may share it: statements run one after the other, in the order of their arrival.
    """

    def __init__(
        self, url="http://127.0.0.1:8998", kind=None, *, headers=None, timeout=300, **fields
    ):
        if kind is not None:
            fields["kind"] = kind
        self._http = Http(url, headers)
        self._owned = True
        self._id = self._http.post("/v1/sessions", fields)["id"]
        try:
            self._ready(time.monotonic() + timeout)
        except BaseException:
            self.close()
            raise

    @classmethod
    def attach(cls, session, url="http://127.0.0.1:8998", *, headers=None, timeout=300):
        """A session that is there, by its id or name. Waits until it has started."""
        self = cls.__new__(cls)
        self._http = Http(url, headers)
        self._owned = False
        self._id = self._http.get("/v1/sessions/" + segment(session))["id"]
        self._ready(time.monotonic() + timeout)
        return self

    def _ready(self, deadline):
        while True:
            left = deadline - time.monotonic()
            wait = max(0.0, min(_WAIT, left))
            view = self._http.get(
                self._path, wait="%dms" % (wait * 1000), timeout=self._http.timeout + wait
            )
            if view["state"] in _OVER:
                raise SessionError(view, self.log()[-20:])
            if view["state"] in ("idle", "busy"):
                return
            if left <= 0:
                raise TimeoutError("session %s is still %s" % (self._id, view["state"]))

    @property
    def id(self):
        return self._id

    @property
    def _path(self):
        return "/v1/sessions/%d" % self._id

    @property
    def view(self):
        """All that the server says of the session now."""
        return self._http.get(self._path)

    @property
    def state(self):
        return self.view["state"]

    # Statements ----------------------------------------------------------------------------------

    def run(self, code, kind=None, *, options=None, on_event=None, live=False, timeout=None):
        """Runs code and returns its Result. Raises StatementError where it fails.

        kind      the language, where it is not the session's own: "spark", "pyspark", "sql", ..
        options   an object for the interpreter, such as {"maxRows": 100}
        on_event  called with (event, data) as it runs: ("output", {"stream", "text"}),
                  ("display", bundle), ("progress", {"progress"}), ("state", view)
        live      prints what the code prints, as it comes, under a bar of its progress
        timeout   seconds; then TimeoutError, and the statement goes on

        Ctrl-C cancels the statement.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        statement = self.submit(code, kind, options=options)
        shows = [Live()] if live else []
        shows += [on_event] if on_event is not None else []
        try:
            if shows:
                for event, data in events.follow(self._http, self._statement(statement), deadline):
                    for show in shows:
                        show(event, data)
            result = self.wait(statement, deadline)
        except KeyboardInterrupt:
            self.cancel(statement)
            raise
        if not result.ok:
            raise StatementError(result)
        return result

    def submit(self, code, kind=None, *, options=None):
        """Has code run and returns its number at once."""
        body = {"code": code}
        if kind is not None:
            body["kind"] = kind
        if options is not None:
            body["options"] = options
        try:
            return self._http.post(self._path + "/statements", body)["id"]
        except HttpError as error:
            if error.status == 409:
                raise SessionError(self.view) from error
            raise

    def wait(self, statement, deadline=None):
        """The Result of a statement once it has ended, however it did."""
        while True:
            left = _WAIT if deadline is None else deadline - time.monotonic()
            wait = max(0.0, min(_WAIT, left))
            text = self._http.text(
                "GET",
                self._statement(statement),
                parameters={"wait": "%dms" % (wait * 1000)},
                timeout=self._http.timeout + wait,
            )
            view = json.loads(text)
            if view["state"] in events.FINAL:
                return Result(view, text)
            if left <= 0:
                raise TimeoutError("statement %d has not ended in time; it goes on" % statement)

    def events(self, statement, timeout=None):
        """Yields (event, data) of a statement until its end, what it has shown before included."""
        deadline = None if timeout is None else time.monotonic() + timeout
        return events.follow(self._http, self._statement(statement), deadline)

    def rows(self, statement, start=0, page=1000):
        """Yields the rows of a statement's result (of a query or a table), fetched by pages."""
        while True:
            got = self._http.get(
                self._statement(statement) + "/rows", **{"from": start, "size": page}
            )
            yield from got["rows"]
            start += len(got["rows"])
            if not got["rows"] or start >= got["total"]:
                return

    def cancel(self, statement):
        """Stops a statement. Does nothing when it has ended."""
        try:
            self._http.post(self._statement(statement) + "/cancel")
        except HttpError as error:
            if error.status != 409:
                raise

    def interrupt(self):
        """Stops the statement that runs, if one does."""
        self._http.post(self._path + "/interrupt")

    def statements(self):
        """All the session's statements, as the server's views."""
        found = []
        while True:
            page = self._http.get(self._path + "/statements", **{"from": len(found), "size": 100})
            found += page["statements"]
            if not page["statements"] or len(found) >= page["total"]:
                return found

    def complete(self, code, cursor=None, kind=None):
        """Names that could stand at the cursor (in code points; at the end where none is given)."""
        question = {"code": code, "cursor": len(code) if cursor is None else cursor}
        if kind is not None:
            question["kind"] = kind
        return self._http.post(self._path + "/completion", question)["candidates"]

    def inspect(self, code, cursor=None, kind=None, detail=0):
        """What is known of the name at the cursor, as text; None where nothing is."""
        question = {
            "code": code,
            "cursor": len(code) if cursor is None else cursor,
            "detail": detail,
        }
        if kind is not None:
            question["kind"] = kind
        answer = self._http.post(self._path + "/inspection", question)
        return answer["data"].get("text/plain") if answer["found"] else None

    def _statement(self, number):
        return "%s/statements/%d" % (self._path, number)

    # Data ----------------------------------------------------------------------------------------

    def json(self, expression, kind=None):
        """The value of an expression, as JSON has it."""
        return self.run("%json " + expression, kind).json

    def table(self, expression, kind=None):
        """The value of an expression (rows, an RDD, a DataFrame) as a pandas DataFrame."""
        return self.run("%table " + expression, kind).table

    def sql(self, query, **options):
        """A query's answer as a pandas DataFrame. Needs a server with the kind "sql"."""
        return self.run(query, "sql", options=options or None).table

    def shared(self):
        """What the session's languages share: RDDs, views, tables."""
        return self._http.get(self._path + "/shared")["items"]

    def shared_rdd(self, name, values=None):
        """The session's RDD of that name; with values, names them so."""
        rdd = SharedRdd(self, name)
        return rdd if values is None else rdd.put(values)

    # Life ----------------------------------------------------------------------------------------

    def follow(self, timeout=None):
        """Yields (event, data) of the session until its end, what was before included: "state",
        "statement", "log", "missed".
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        return events.follow_session(self._http, self._path, deadline)

    def log(self):
        """The lines of the session's log."""
        return self._http.get(self._path + "/log", size=-1)["log"]

    def notebook(self):
        """The session as a notebook (nbformat 4)."""
        return self._http.get(self._path + "/notebook")

    def close(self):
        """Ends the session, its driver and all its data. Fine when it has ended."""
        try:
            self._http.delete(self._path, timeout=120)
        except HttpError as error:
            if error.status != 404:
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._owned:
            self.close()

    def __repr__(self):
        return "<Session %d at %s>" % (self._id, self._http.url)
