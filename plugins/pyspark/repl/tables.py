"""%table: values as rows under typed headers, in Livy's form: {"headers": [{"name", "type"}],
"data": [[..]]}.

A column's type is guessed from all its cells. None goes with every type, ints and floats make a
column of floats, any other mixture is an error. Rows may be short, or lack keys: what is missing
is null.
"""

import base64
import collections.abc
import datetime
import decimal
import math

from . import jsonvalue

MAX_ROWS = jsonvalue.MAX_ROWS  # of a Spark DataFrame; a table that was cut says "truncated": true

_SPARK_TYPES = {
    "void": "NULL_TYPE",
    "null": "NULL_TYPE",
    "boolean": "BOOLEAN_TYPE",
    "byte": "INT_TYPE",
    "short": "INT_TYPE",
    "integer": "INT_TYPE",
    "long": "BIGINT_TYPE",
    "float": "DOUBLE_TYPE",
    "double": "DOUBLE_TYPE",
    "decimal": "DECIMAL_TYPE",
    "date": "DATE_TYPE",
    "timestamp": "TIMESTAMP_TYPE",
    "timestamp_ntz": "TIMESTAMP_TYPE",
    "array": "ARRAY_TYPE",
    "map": "MAP_TYPE",
    "struct": "MAP_TYPE",
}


def table(value):
    """The table of any value. Raises TypeError where a column's cells have different types."""
    if jsonvalue.spark_class(value, "DataFrame"):
        return _of_spark(value)
    if jsonvalue.spark_class(value, "RDD"):
        return _of_rows(value.take(jsonvalue.RDD_ROWS))
    if jsonvalue.library(value, "pandas"):
        if hasattr(value, "itertuples") and hasattr(value, "columns"):
            names = [str(name) for name in value.columns]
            floats = [getattr(kind, "kind", "") == "f" for kind in value.dtypes]
            rows = value.itertuples(index=False, name=None)
            return _of_cells(
                names, ([_of_pandas(*pair) for pair in zip(row, floats)] for row in rows)
            )
        if hasattr(value, "index") and hasattr(value, "tolist"):
            name = getattr(value, "name", None)
            floats = getattr(value.dtype, "kind", "") == "f"
            return _of_cells(
                ["0" if name is None else str(name)],
                ([_of_pandas(cell, floats)] for cell in value.tolist()),
            )
    if _is_array(value):
        value = jsonvalue.from_numpy(value)
    if not isinstance(value, (list, tuple)) or jsonvalue.spark_class(value, "Row"):
        value = [value]
    return _of_rows(value)


def _of_pandas(cell, floats):
    # NaN is pandas' word for a missing value in columns of text, too.
    return None if isinstance(cell, float) and cell != cell and not floats else cell


def _of_rows(rows):
    rows = [_row(row) for row in rows]
    keys = _in_order({key for row in rows if row is not None for key in row})
    if not keys and any(row is None for row in rows):
        keys = [0]
    return _of_cells(
        [str(key) for key in keys], ([(row or {}).get(key) for key in keys] for row in rows)
    )


def _row(row):
    """A row as a dict by column; None, which fits any row, as it is."""
    if row is None:
        return None
    if jsonvalue.spark_class(row, "Row"):
        return row.asDict() if hasattr(row, "__fields__") else dict(enumerate(row))
    if jsonvalue.library(row, "pandas") and hasattr(row, "to_dict"):
        row = row.to_dict()
    elif _is_array(row):
        row = jsonvalue.from_numpy(row)
    if isinstance(row, collections.abc.Mapping):
        return dict(row)
    if isinstance(row, (list, tuple)):
        return dict(enumerate(row))
    return {0: row}


def _in_order(keys):
    try:
        return sorted(keys)
    except TypeError:
        return sorted(keys, key=lambda key: (type(key).__name__, str(key)))


def _of_cells(names, rows):
    types = ["NULL_TYPE"] * len(names)
    data = []
    for row in rows:
        cells = []
        for column, value in enumerate(row):
            kind, cell = _cell(value)
            types[column] = _common(types[column], kind)
            cells.append(cell)
        data.append(cells)
    for column, kind in enumerate(types):
        if kind == "DOUBLE_TYPE":
            for row in data:
                row[column] = _as_float(row[column])
    return _table(names, types, data)


def _as_float(cell):
    # An int that is too large to be exact as a float stays what it is: in JSON both are numbers.
    return float(cell) if isinstance(cell, int) and abs(cell) <= 1 << 53 else cell


def _table(names, types, data):
    return {
        "headers": [{"name": name, "type": kind} for name, kind in zip(names, types)],
        "data": data,
    }


def _common(one, other):
    if one == other or other == "NULL_TYPE":
        return one
    if one == "NULL_TYPE":
        return other
    if {one, other} == {"INT_TYPE", "DOUBLE_TYPE"}:
        return "DOUBLE_TYPE"
    raise TypeError("table rows have different types")


def _cell(value):
    """The type and the JSON value of a cell."""
    if value is None or jsonvalue.is_missing(value):
        return "NULL_TYPE", None
    if jsonvalue.library(value, "numpy") and hasattr(value, "dtype"):
        python = jsonvalue.from_numpy(value)
        if type(python) is not type(value):
            return _cell(python)
    if isinstance(value, bool):
        return "BOOLEAN_TYPE", value
    if isinstance(value, int):
        return "INT_TYPE", int(value)
    if isinstance(value, float):
        return "DOUBLE_TYPE", float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return "STRING_TYPE", str(value)
    if isinstance(value, decimal.Decimal):
        return "DECIMAL_TYPE", None if value.is_nan() else str(value)
    if isinstance(value, datetime.datetime):
        return "TIMESTAMP_TYPE", str(value)
    if isinstance(value, datetime.date):
        return "DATE_TYPE", str(value)
    if jsonvalue.spark_class(value, "Row"):
        return "MAP_TYPE", jsonvalue.convert(value.asDict(True))
    if isinstance(value, (list, tuple)):
        return "ARRAY_TYPE", jsonvalue.convert(value)
    if isinstance(value, collections.abc.Mapping):
        return "MAP_TYPE", jsonvalue.convert(value)
    return "STRING_TYPE", str(value)


def _is_array(value):
    return jsonvalue.library(value, "numpy") and getattr(value, "ndim", 0) > 0


def _of_spark(frame):
    fields = frame.schema.fields
    types = [_SPARK_TYPES.get(field.dataType.typeName(), "STRING_TYPE") for field in fields]
    rows = frame.take(MAX_ROWS + 1)
    data = [[_spark_cell(cell) for cell in row] for row in rows[:MAX_ROWS]]
    table = _table([field.name for field in fields], types, data)
    if len(rows) > MAX_ROWS:
        table["truncated"] = True
    return table


def _spark_cell(value):
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    return _cell(value)[1]
