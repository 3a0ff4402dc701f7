"""The REPL behind the kind "@NAME@": Python, until you put your language here.

One JSON object a line. Told: {"execute": STATEMENT, "code": ..}, {"complete": REQUEST, "cursor": .., "code": ..}.
Tells: {"ready": 1}; {"stdout": STATEMENT, "text": ..}, or stderr, while code runs; then one of
{"ok" | "error" | "incomplete" | "cancelled": STATEMENT, "bundle": {..}}; {"request": REQUEST, "candidates": [..]}.
"""

import ast
import code
import io
import json
import os
import rlcompleter
import signal
import sys
import traceback

# What user code and its children print to descriptor 1 must not be taken for the protocol.
protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def tell(**what):
    print(json.dumps(what), file=protocol, flush=True)


class Stream(io.TextIOBase):
    """Passes on at once what a statement prints."""

    def __init__(self, name):
        self.name = name

    def write(self, text):
        if text:
            tell(**{self.name: running, "text": text})
        return len(text)


running = 0  # the statement
space = {"__name__": "__main__"}


def execute(source):
    """(outcome, bundle)"""
    try:
        if code.compile_command(source, symbol="exec") is None:
            return "incomplete", {"ename": "SyntaxError", "evalue": "the code is not whole", "traceback": []}
        tree = ast.parse(source, "<statement>")
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<statement>", "exec"), space)
        value = eval(compile(ast.Expression(last.value), "<statement>", "eval"), space) if last else None
        return "ok", {"text/plain": "" if value is None else repr(value)}
    except KeyboardInterrupt:
        return "cancelled", {}
    except BaseException as error:  # SystemExit too: a statement does not end the REPL
        frames = traceback.format_exception(type(error), error, error.__traceback__.tb_next)  # not this one
        return "error", {"ename": type(error).__name__, "evalue": str(error), "traceback": frames}


def candidates(source, cursor):
    word = source[:cursor].split()[-1:] or [""]
    completer = rlcompleter.Completer(space)
    found = []
    while (match := completer.complete(word[0], len(found))) is not None:
        found.append(match.rstrip("("))
    return found


def main():
    global running
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # but while a statement runs
    tell(ready=1)
    for line in sys.stdin:
        told = json.loads(line)
        if "complete" in told:
            found = candidates(told["code"], told["cursor"])
            tell(request=told["complete"], candidates=found)
            continue
        running = told["execute"]
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            outcome, bundle = execute(told["code"])
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except KeyboardInterrupt:  # between the two
            outcome, bundle = "cancelled", {}
        tell(**{outcome: running, "bundle": bundle})


main()
