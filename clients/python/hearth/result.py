"""What a statement has given."""

import base64
import decimal
import json

JSON = "application/json"
TABLE = "application/vnd.livy.table.v1+json"
PNG = "image/png"
HTML = "text/html"
TEXT = "text/plain"


class Result:
    """A statement that has ended. `statement` is the server's whole view of it."""

    def __init__(self, statement, text=None):
        self.statement = statement
        self._text = text  # of the view: its numbers may have more digits than a float holds

    @property
    def id(self):
        return self.statement["id"]

    @property
    def ok(self):
        return self.statement.get("outcome") == "ok"

    @property
    def data(self):
        """The result by MIME type."""
        return (self.statement.get("output") or {}).get("data") or {}

    @property
    def text(self):
        """What was printed, and the value's echo."""
        return self.data.get(TEXT, "")

    @property
    def stdout(self):
        return self.statement.get("stdout", "")

    @property
    def stderr(self):
        return self.statement.get("stderr", "")

    @property
    def displays(self):
        """What the code has shown beside its result: a list of bundles by MIME type."""
        return self.statement.get("displays") or []

    @property
    def json(self):
        """The value of %json, or what SQL has answered. KeyError where there is none."""
        return self.data[JSON]

    @property
    def png(self):
        """The bytes of the plot. KeyError where there is none."""
        return base64.b64decode(self.data[PNG])

    @property
    def columns(self):
        """The names of the table's columns."""
        return self._table()[0]

    @property
    def rows(self):
        """The table's rows, as lists. Of %table, and of SQL. KeyError where there is no table."""
        return self._table()[2]

    @property
    def table(self):
        """The table as a pandas DataFrame. Needs pandas."""
        import pandas

        names, types, rows = self._table()
        columns = [_column(pandas, kind, cells) for kind, cells in zip(types, zip(*rows))]
        columns = columns or [pandas.Series([], dtype=object) for _ in names]
        frame = pandas.concat(columns, axis=1) if columns else pandas.DataFrame()
        frame.columns = names  # SQL's need not be unique
        return frame

    def _table(self):
        """Names, types in %table's words, rows."""
        if TABLE in self.data:
            table = self.data[TABLE]
            headers = table["headers"]
            names, types = [h["name"] for h in headers], [h["type"] for h in headers]
            return names, types, table["data"]
        answer = self.data.get(JSON)
        if not isinstance(answer, dict) or "schema" not in answer or "data" not in answer:
            raise KeyError("statement %s has no table; it has %s" % (self.id, ", ".join(self.data)))
        fields = answer["schema"]["fields"]
        names = [field["name"] for field in fields]
        types = [_of_spark(field["type"]) for field in fields]
        rows = answer["data"]
        if "DECIMAL_TYPE" in types and self._text is not None:
            exact = json.loads(self._text, parse_float=decimal.Decimal)["output"]["data"][JSON]
            rows = [
                [other if kind == "DECIMAL_TYPE" else cell for kind, cell, other in zip(types, *row)]
                for row in zip(rows, exact["data"])
            ]
        return names, types, rows

    def _repr_mimebundle_(self, include=None, exclude=None):
        """How notebooks show it."""
        bundle = dict(self.data)
        if TABLE in bundle or isinstance(bundle.get(JSON), dict) and "schema" in bundle[JSON]:
            try:
                frame = self.table
                bundle[HTML], bundle[TEXT] = frame.to_html(), str(frame)
            except ImportError:
                pass
        bundle.setdefault(TEXT, repr(self))
        if PNG in bundle:
            bundle[PNG] = base64.b64decode(bundle[PNG])
        return bundle

    def __repr__(self):
        return "<Result %s %s: %s>" % (
            self.id,
            self.statement.get("outcome"),
            self.text or ", ".join(self.data),
        )


def _of_spark(kind):
    if not isinstance(kind, str):
        return "NESTED_TYPE"
    if kind in ("byte", "short", "integer", "long"):
        return "BIGINT_TYPE"
    if kind in ("float", "double"):
        return "DOUBLE_TYPE"
    if kind.startswith("decimal"):
        return "DECIMAL_TYPE"
    if kind.startswith("timestamp"):
        return "TIMESTAMP_TYPE"
    return {"boolean": "BOOLEAN_TYPE", "date": "DATE_TYPE"}.get(kind, "STRING_TYPE")


def _column(pandas, kind, cells):
    """Cells as a column that has its type also where some are null."""
    if kind in ("INT_TYPE", "BIGINT_TYPE"):
        if any(cell is not None and not -(1 << 63) <= cell < 1 << 63 for cell in cells):
            return pandas.Series(cells, dtype=object)
        missing = any(cell is None for cell in cells)
        return pandas.Series(cells, dtype="Int64" if missing else "int64")
    if kind == "DOUBLE_TYPE":
        return pandas.Series(cells, dtype="float64")
    if kind == "BOOLEAN_TYPE":
        missing = any(cell is None for cell in cells)
        return pandas.Series(cells, dtype="boolean" if missing else "bool")
    if kind == "DECIMAL_TYPE":
        values = [None if cell is None else decimal.Decimal(str(cell)) for cell in cells]
        return pandas.Series(values, dtype=object)
    if kind in ("TIMESTAMP_TYPE", "DATE_TYPE"):
        try:
            return pandas.Series(pandas.to_datetime(list(cells), format="ISO8601"))
        except (ValueError, OverflowError):
            pass  # beyond what pandas has: the text, then
    return pandas.Series(cells, dtype=object)
