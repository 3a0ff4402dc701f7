"""Exceptions as error bundles: {"ename", "evalue", "traceback"}, in Livy's form."""

import os
import re
import traceback

MAX_TEXT = 1 << 20

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_CELL = re.compile(r"<stdin-\d+>")
_HEADER = "Traceback (most recent call last):\n"


class MagicError(Exception):
    """A magic was used in a wrong way."""

    __module__ = "builtins"  # shown without a module


class UnknownMagic(MagicError):
    """There is no such magic. The hint ends the traceback."""

    __module__ = "builtins"

    def __init__(self, message, hint):
        super().__init__(message)
        self.hint = hint


def cell_name(statement):
    """The name a statement's code is compiled under. It is shown as <stdin>; a number in it keeps
    the sources apart.
    """
    return "<stdin-%d>" % statement


def describe(error, parsing=False):
    """The bundle of an exception. With parsing, of one that the source text itself caused. May run
    user code (__str__).
    """
    name = type.__dict__["__name__"].__get__(type(error))
    text = _shown(_message(error))
    return {"ename": name, "evalue": _cut(text), "traceback": _bounded(_lines(error, parsing))}


def raised_in_cell(error):
    """Whether the innermost frame is user code of a statement, and no library's."""
    link = error.__traceback__
    while link is not None and link.tb_next is not None:
        link = link.tb_next
    return link is not None and _CELL.fullmatch(link.tb_frame.f_code.co_filename) is not None


def interrupted():
    """The bundle of an interrupt whose own could not be made."""
    return {
        "ename": "KeyboardInterrupt",
        "evalue": "",
        "traceback": [_HEADER, "KeyboardInterrupt\n"],
    }


def plain(error):
    """A bundle of an exception that nothing can be asked of: only its class is named."""
    name = type.__dict__["__name__"].__get__(type(error))
    return {"ename": name, "evalue": "", "traceback": [_HEADER, name + "\n"]}


def _message(error):
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return "<exception str() failed>"


def _lines(error, parsing):
    if parsing or isinstance(error, MagicError):
        lines = [_shown(line) for line in traceback.format_exception_only(type(error), error)]
        return lines + ([error.hint + "\n"] if isinstance(error, UnknownMagic) else [])
    whole = traceback.TracebackException(type(error), error, error.__traceback__)
    wanted = []
    for frame in whole.stack:
        if frame.filename.startswith(_HERE):
            continue
        if frame.name == "<module>" and _CELL.fullmatch(frame.filename):
            wanted.clear()  # the statement itself; what lies above it is the worker's, or asyncio's
            continue
        wanted.append(frame)
    whole.stack = traceback.StackSummary.from_list(wanted)
    lines = list(whole.format(chain=False))
    if not wanted and lines[0] != _HEADER:
        lines.insert(0, _HEADER)
    return [_shown(line) for line in lines]


def _shown(text):
    return _CELL.sub("<stdin>", text) if "<stdin-" in text else text


def _cut(text, limit=MAX_TEXT):
    if len(text) <= limit:
        return text
    return "%s... (%d more characters)" % (text[:limit], len(text) - limit)


def _bounded(lines):
    left = MAX_TEXT
    for index, line in enumerate(lines):
        if len(line) > left:
            # The last line names the error: it is kept, and cut alone where it is what is too long.
            last = index == len(lines) - 1
            return (
                lines[:index]
                + [_cut(line, left) + ("" if last else "\n")]
                + ([] if last else [_cut(lines[-1], 2000)])
            )
        left -= len(line)
    return lines
