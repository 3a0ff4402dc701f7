"""Interrupts that hit the statement they are meant for, and nothing else.

SIGINT is only the knock. Whether it becomes a KeyboardInterrupt is decided in the handler, by two
facts: an interrupt of the running statement is due, and the frame that was interrupted lies inside
Gate.call(), so that user code is what it would end. A knock that comes late, twice, or while the
worker is busy with itself therefore does nothing.
"""

import _thread
import os
import signal
import sys
import threading
import time


class Gate:
    """Knows which statement runs. The main thread begins, calls and finishes; the reader thread
    expects and interrupts.

    There is no lock, as an exception from a signal handler could leave the main thread holding it:
    each thread first writes its own word (running; asked) and then reads the other's.
    """

    def __init__(self):
        self._main = threading.main_thread().ident
        self._open = set()  # statements that were received and have not ended
        self._asked = set()  # those of them that an interrupt was accepted for
        self._running = None
        self._due = None  # the statement that is still to get its KeyboardInterrupt

    def install(self):
        """Makes this gate the process's SIGINT handler. Main thread."""
        if signal.getsignal(signal.SIGINT) != self._knock:
            signal.signal(signal.SIGINT, self._knock)

    def expect(self, statement):
        """Says that a statement was received and will begin later; it can be interrupted from now
        on.
        """
        self._open.add(statement)

    def begin(self, statement):
        self._running = statement
        if statement in self._asked:
            self._due = statement

    def finish(self, statement):
        """Ends the statement; returns whether its interrupt was asked for."""
        self._running = None
        self._open.discard(statement)
        return statement in self._asked

    def forget(self, statement):
        """After finish(). Any thread."""
        self._asked.discard(statement)

    def asked(self, statement):
        return statement in self._asked

    def call(self, function, *args):
        """Runs user code. An interrupt leaves it as KeyboardInterrupt, never later than its
        return. Main thread.
        """
        if self._due is not None and self._due == self._running:
            self._due = None
            raise KeyboardInterrupt
        return function(*args)

    def interrupt(self, statement):
        """Interrupts the statement if it runs or is about to; otherwise does nothing. Reader
        thread.
        """
        if statement not in self._open:
            return
        self._asked.add(statement)
        if statement == self._running:
            self._due = statement
            self._knock_at(statement)
            _thread.start_new_thread(self._insist, (statement,))

    def interrupt_any(self):
        """Interrupts whatever runs. Reader thread."""
        running = self._running
        if running is not None:
            self.interrupt(running)

    def watch_unraisable(self):
        """Raises an interrupt again that came where Python had to drop it, as in a __del__. Main
        thread.
        """
        previous = sys.unraisablehook

        def hook(unraisable):
            running = self._running
            ours = unraisable.exc_type is KeyboardInterrupt and threading.get_ident() == self._main
            if not ours or running not in self._asked:
                previous(unraisable)
                return
            self._due = running
            _thread.start_new_thread(self._insist, (running,))

        sys.unraisablehook = hook

    def forked(self):
        """Gives a forked child Python's own behaviour. Called in the child."""
        self._running = None
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        except ValueError:
            pass  # forked from a thread that is not Python's main thread

    def _knock(self, _signo, frame):
        if self._due is None or self._due != self._running:
            return
        inside = Gate.call.__code__
        while frame is not None:
            if frame.f_code is inside:
                interrupt = KeyboardInterrupt()  # fails at the recursion limit, and then stays due
                self._due = None
                raise interrupt
            frame = frame.f_back

    def _knock_at(self, statement):
        if self._running != statement or self._due != statement:
            return False
        # os.system() ignores SIGINT while it waits: Python's own flag is raised all the same.
        _thread.interrupt_main()
        signal.pthread_kill(self._main, signal.SIGINT)
        for pid in _descendants():
            try:
                os.kill(pid, signal.SIGINT)
            except OSError:
                pass  # ended meanwhile, or not ours to signal
        return True

    def _insist(self, statement):
        # A signal between Python's last look for one and a blocking system call does not end that
        # call; nor is a child reached that os.system() is only about to start.
        pause = 0.05
        while True:
            time.sleep(pause)
            if not self._knock_at(statement):
                return
            pause = min(pause * 2, 1.0)


def _descendants():
    """Processes below this one and in its group: those that Ctrl-C in a terminal would reach."""
    group = os.getpgrp()
    children = {}
    try:
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open("/proc/" + entry + "/stat", "rb") as stat:
                        fields = stat.read().rpartition(b")")[2].split()
                except OSError:
                    continue
                if int(fields[2]) == group:
                    children.setdefault(int(fields[1]), []).append(int(entry))
    except OSError:
        return []
    found, todo = [], [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found.extend(below)
        todo.extend(below)
    return found
