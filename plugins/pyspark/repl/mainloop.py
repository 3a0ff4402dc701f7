"""The worker's life: it takes statements from the driver and answers them until it is told to stop.

Three threads. The main thread runs user code, since Python runs signal handlers there. The reader
thread takes frames, so that interrupts and completions never wait for user code. The answering
thread ends a statement (flush, markers, DONE): a handler of the user's, such as that of a timer,
may raise anywhere in the main thread, but never in there.
"""

import atexit
import builtins
import collections
import faulthandler
import json
import os
import platform
import queue
import signal
import sys
import threading
import traceback
import types

from . import completion, errors, figures, inspection, interrupts, jsonvalue, protocol, sparkattach
from .capture import Capture
from .execution import Interpreter

MAX_BUNDLE = 48 << 20
STOP_SECONDS = 5


def main():
    """Runs a worker as the driver's first line on stdin says. Does not return."""
    config = json.loads(_first_line())
    capture = Capture(config["marker"])
    faulthandler.enable(capture.error_descriptor)
    link = protocol.Link(config["port"], config["channel"])
    link.send(protocol.HELLO, payload={"secret": config["secret"], "pid": os.getpid()})
    try:
        worker = Worker(link, capture, config["channel"])
        worker.start()
    except BaseException:
        capture.restore()
        traceback.print_exc()
        capture.flush()
        os._exit(1)
    while True:
        try:
            worker.serve()
        except BaseException:
            pass  # a signal handler of the user's, at the one spot of serve() that cannot catch it


class Task:
    """A statement on its way. Each step is noted as it is taken, so that none is taken twice."""

    def __init__(self, statement, text):
        self.statement, self.text = statement, text
        self.started = False
        self.result = None  # (outcome, bundle)
        self.delivered = False  # to the answering thread
        self.answered = False


class Worker:
    def __init__(self, link, capture, channel):
        self._link = link
        self._capture = capture
        self._channel = channel
        self._pid = os.getpid()
        self._gate = interrupts.Gate()
        self._waiting = collections.deque()  # tasks after the present one
        self._task = None  # the present one
        self._stopping = False
        self._handing = threading.Lock()
        self._wake = queue.SimpleQueue()  # of the main thread; what it holds does not matter
        self._results = queue.SimpleQueue()
        self._recursion_limit = sys.getrecursionlimit()
        self._attachment = None
        self._worker_main = sys.modules["__main__"]  # kept: its functions need their module
        self._module = _user_module()
        self._interpreter = Interpreter(self._module)

    def start(self):
        """Attaches to Spark and says READY. Raises what keeps it from that."""
        os.environ.setdefault("MPLBACKEND", "Agg")
        os.register_at_fork(after_in_child=self._forked)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        self._gate.install()
        self._gate.watch_unraisable()
        threading.Thread(target=self._read, name="hearth-reader", daemon=True).start()
        threading.Thread(target=self._answer, name="hearth-answers", daemon=True).start()
        names, self._attachment = sparkattach.attach(self._channel)
        self._module.__dict__.update(names)
        self._gate.install()
        self._link.send(protocol.READY, payload={"python": platform.python_version()})

    def serve(self):
        """Runs statements until STOP. Does not return."""
        while True:
            task = None
            try:
                task = self._task
                if task is not None and not task.delivered:
                    self._statement(task)
                elif self._stopping:
                    break
                else:
                    self._wake.get()
            except BaseException as error:
                self._broken_into(task, error)
        _exit_in_order(self._capture)

    def _broken_into(self, task, error):
        # By a signal handler of the user's, outside user code. The loop goes on where it was.
        try:
            if task is None or task.delivered:
                traceback.print_exception(type(error), error, error.__traceback__)
            elif task.started and task.result is None:
                task.result = (protocol.DONE_ERROR, errors.plain(error))
        except BaseException:
            pass

    # Reader thread -------------------------------------------------------------------------------

    def _read(self):
        while True:
            frame = self._link.receive()
            if frame is None:
                os._exit(1)  # no driver, no one to work for
            kind, statement, payload = frame
            if kind == protocol.EXECUTE:
                self._gate.expect(statement)
                self._waiting.append(Task(statement, payload.decode("utf-8", "replace")))
                self._hand_over()
            elif kind == protocol.INTERRUPT:
                self._gate.interrupt(statement)
            elif kind in (protocol.COMPLETE, protocol.INSPECT):
                self._ask(kind, statement, payload)
            elif kind == protocol.STOP:
                self._stop()

    def _ask(self, kind, request, payload):
        try:
            asked = json.loads(payload)
            question = (asked["code"], int(asked["cursor"]), self._module.__dict__)
            if kind == protocol.COMPLETE:
                answer = {"candidates": completion.complete(*question)}
            else:
                known = inspection.inspect_at(*question, asked.get("detail", 0))
                answer = {
                    "found": known is not None,
                    "data": {} if known is None else {"text/plain": known},
                }
            self._link.send(protocol.REPLY, request, protocol.STATUS_OK, jsonvalue.dumps(answer))
        except Exception as error:
            reason = "%s: %s" % (type(error).__name__, error)
            self._link.send(protocol.REPLY, request, protocol.STATUS_INTERNAL, {"reason": reason})

    def _stop(self):
        self._stopping = True
        self._waiting.clear()
        self._wake.put(None)
        self._gate.interrupt_any()
        # Code that does not end is left where it is.
        timer = threading.Timer(STOP_SECONDS, os._exit, (0,))
        timer.daemon = True
        timer.start()

    def _hand_over(self):
        """Gives the main thread its next task if it has none. Reader and answering thread."""
        with self._handing:
            if self._waiting and (self._task is None or self._task.answered):
                self._task = self._waiting.popleft()
                self._wake.put(None)

    # Answering thread ----------------------------------------------------------------------------

    def _answer(self):
        while True:
            task = self._results.get()
            if task.answered:
                continue
            outcome, bundle = task.result
            task.result = None  # it may be large
            payload = _encoded(bundle)
            if payload is None:
                outcome, payload = protocol.DONE_ERROR, _too_large()
            try:
                self._capture.finish(task.statement)
                task.answered = True
                self._gate.forget(task.statement)
                self._link.send(protocol.DONE, task.statement, outcome, payload)
            except OSError:
                os._exit(1)  # no driver
            self._hand_over()

    # Main thread ---------------------------------------------------------------------------------

    def _statement(self, task):
        if not task.started:
            self._gate.begin(task.statement)
            task.started = True
            task.result = self._outcome(task.statement, task.text)
        if os.getpid() != self._pid:
            _end_child(None)
        self._shielded(self._restore)
        asked = self._shielded(self._gate.finish, task.statement)
        if self._attachment is not None:
            self._shielded(self._attachment.settle if asked else self._attachment.mark)
        self._results.put(task)
        task.delivered = True

    def _outcome(self, statement, text):
        """Runs a statement. Returns (outcome, bundle) whatever user code does."""
        parsing = True
        error = None
        try:
            parts = self._gate.call(self._interpreter.parse, text, statement)
            parsing = False
            return self._gate.call(self._run, parts)
        except BaseException as caught:
            error = caught
        if os.getpid() != self._pid:
            _end_child(error)
        try:
            return self._failure(statement, error, parsing)
        finally:
            error = None  # and with it the frames of user code

    def _run(self, parts):
        result = self._interpreter.run(parts)
        for stream in (sys.stdout, sys.stderr):  # the user's own, it may be
            _flush(stream)
        outcome = protocol.DONE_OK
        bundle = {}
        if result is not None:
            bundle = result.bundle
            outcome |= 0 if result.text else protocol.NO_EMPTY_TEXT
        image = figures.take_open()
        if image is not None and isinstance(bundle, dict):
            bundle.setdefault(figures.PNG, image)
        return outcome, bundle

    def _failure(self, statement, error, parsing):
        parsing = parsing and not isinstance(error, KeyboardInterrupt)
        try:
            bundle = self._gate.call(_describe_failure, error, parsing)
        except KeyboardInterrupt:
            error = KeyboardInterrupt()
            bundle = errors.interrupted()
        except BaseException:
            bundle = errors.plain(error)
        if not self._gate.asked(statement) or not _is_interrupt(error, bundle):
            return protocol.DONE_ERROR, bundle
        return protocol.DONE_CANCELLED, bundle if isinstance(
            error, KeyboardInterrupt
        ) else errors.interrupted()

    def _restore(self):
        if sys.getrecursionlimit() < self._recursion_limit:
            sys.setrecursionlimit(self._recursion_limit)
        self._gate.install()
        self._interpreter.restore()

    def _shielded(self, step, *args):
        # A timer or signal handler of the user's may raise in the middle of any step; each can be
        # taken again.
        for _ in range(3):
            try:
                return step(*args)
            except BaseException:
                pass
        return None

    # Forked children -----------------------------------------------------------------------------

    def _forked(self):
        self._gate.forked()
        self._capture.forked()
        self._link.forked()


def _first_line():
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 65536)
        if not piece:
            break
        line += piece
    return line.decode("utf-8")


def _user_module():
    """The user's __main__: of its own, so that what is defined in it is pickled by value and
    nothing of ours is seen.
    """
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [""] + [
        entry for entry in sys.path if entry != "" and os.path.abspath(entry) != here
    ]
    sys.argv[:] = [""]
    return module


def _encoded(bundle):
    """The bundle as JSON, or None when it is too large."""
    try:
        payload = bundle if isinstance(bundle, bytes) else jsonvalue.dumps(bundle)
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        payload = jsonvalue.dumps(errors.plain(error))
    return payload if len(payload) <= MAX_BUNDLE else None


def _describe_failure(error, parsing):
    bundle = errors.describe(error, parsing)
    figures.drop_open()
    return bundle


def _flush(stream):
    try:
        stream.flush()
    except KeyboardInterrupt:
        raise
    except BaseException:
        pass  # not a stream, or closed


def _is_interrupt(error, bundle):
    if isinstance(error, KeyboardInterrupt):
        return True
    # The driver cancels the statement's jobs too, and that may be seen first.
    if (
        type(error).__module__.startswith(("py4j.", "pyspark."))
        and "cancelled" in bundle["evalue"].lower()
    ):
        return True
    # An interrupt in the middle of a library can make its own clean-up fail. What a cell itself
    # raises in answer to an interrupt is meant.
    return isinstance(error.__context__, KeyboardInterrupt) and not errors.raised_in_cell(error)


def _too_large():
    return jsonvalue.dumps(
        {
            "ename": "ResultTooLarge",
            "evalue": "the result is larger than %d MiB" % (MAX_BUNDLE >> 20),
            "traceback": [],
        }
    )


def _end_child(reason):
    """Ends a process that user code has forked and that came back from it: it has no part in the
    session.
    """
    status = 0
    if isinstance(reason, SystemExit):
        status = reason.code if isinstance(reason.code, int) else 0 if reason.code is None else 1
    elif isinstance(reason, BaseException):
        status = 1
        traceback.print_exception(type(reason), reason, reason.__traceback__)
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    os._exit(status & 0xFF)


def _exit_in_order(capture):
    try:
        atexit._run_exitfuncs()
    except BaseException:
        pass
    capture.flush()
    os._exit(0)
