"""What can go wrong."""


class HearthError(Exception):
    """The base of all of this package's errors."""


class HttpError(HearthError):
    """The server has refused a request. `status` is HTTP's; `problem` the body, as parsed."""

    def __init__(self, status, problem, method, path):
        self.status, self.problem = status, problem
        detail = problem.get("detail") if isinstance(problem, dict) else problem
        super().__init__("%s %s: %d %s" % (method, path, status, detail or ""))


class SessionError(HearthError):
    """The session cannot be used: it did not start, or has ended. `session` is the server's
    view.
    """

    def __init__(self, session, log=()):
        self.session = session
        text = "session %s is %s" % (session["id"], session["state"])
        if session.get("reason"):
            text += ": " + session["reason"]
        super().__init__("\n".join([text, *log]))


class StatementError(HearthError):
    """Code has failed, or was cancelled. `name`, `value` and `traceback` are the interpreter's, and
    `result` has what was printed before."""

    def __init__(self, result):
        output = result.statement.get("output") or {}
        self.result = result
        self.name = output.get("ename") or "Cancelled"
        self.value = output.get("evalue") or ""
        self.traceback = list(output.get("traceback") or ())
        super().__init__("%s: %s" % (self.name, self.value))
