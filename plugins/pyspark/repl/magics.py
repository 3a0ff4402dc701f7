"""The magics: %json, %table and %matplot, each with any expression, and %sql with a query."""

from . import figures, jsonvalue, sparkattach, tables
from .errors import MagicError, UnknownMagic

JSON = "application/json"
TABLE = "application/vnd.livy.table.v1+json"


class Result:
    """A magic's bundle, or its JSON text in UTF-8. With text, text/plain goes with it even where
    nothing was printed.
    """

    def __init__(self, bundle, text=False):
        self.bundle, self.text = bundle, text


def run(name, operand, evaluate):
    """Runs a magic on its operand, or on the value that evaluate() returns. Raises what goes wrong,
    MagicError for a wrong use.
    """
    if not name:
        raise UnknownMagic("magic command not specified", known())
    if name != "sql" and name not in NAMES:
        raise UnknownMagic("unknown magic command '%s'" % name, known())
    if not operand:
        raise MagicError(
            "%%%s needs %s, as in: %%%s %s"
            % (
                name,
                "a query" if name == "sql" else "an expression",
                name,
                {"matplot": "plt", "sql": "select 1"}.get(name, "x"),
            )
        )
    return _sql(operand) if name == "sql" else NAMES[name](evaluate())


def known():
    """A word on which magics there are."""
    return "the magics of Python are " + ", ".join("%" + name for name in sorted([*NAMES, "sql"]))


def _json(value):
    return Result({JSON: jsonvalue.convert(value)})


def _table(value):
    return Result({TABLE: tables.table(value)})


def _matplot(value):
    return Result({figures.PNG: figures.draw(value)}, text=True)


def _sql(query):
    return Result(sparkattach.sql(query))


# Of an expression.
NAMES = {"json": _json, "table": _table, "matplot": _matplot}
