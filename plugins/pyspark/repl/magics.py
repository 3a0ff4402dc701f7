"""The magics: %json, %table and %matplot, each with any expression."""

from . import figures, jsonvalue, tables
from .errors import MagicError, UnknownMagic

JSON = "application/json"
TABLE = "application/vnd.livy.table.v1+json"


class Result:
    """A magic's bundle. With text, text/plain goes with it even where nothing was printed."""

    def __init__(self, bundle, text=False):
        self.bundle, self.text = bundle, text


def run(name, operand, evaluate):
    """Runs a magic on the value that evaluate() returns. Raises what goes wrong, MagicError for a
    wrong use.
    """
    if not name:
        raise UnknownMagic("magic command not specified")
    magic = NAMES.get(name)
    if magic is None:
        raise UnknownMagic("unknown magic command '%s'" % name)
    if not operand:
        raise MagicError(
            "%%%s needs an expression, as in: %%%s %s"
            % (name, name, "plt" if name == "matplot" else "x")
        )
    return magic(evaluate())


def _json(value):
    return Result({JSON: jsonvalue.convert(value)})


def _table(value):
    return Result({TABLE: tables.table(value)})


def _matplot(value):
    return Result({figures.PNG: figures.draw(value)}, text=True)


NAMES = {"json": _json, "table": _table, "matplot": _matplot}
