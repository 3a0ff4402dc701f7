"""Python values as JSON values.

None, bool, int, str, list, tuple and dict are themselves. Beyond JSON's own:
  float            NaN and the infinities become null
  Decimal          a string with all its digits; NaN null
  date, time       ISO 8601; timedelta its str()
  bytes            base64
  set              a list, sorted where its members can be
  dict             keys become strings
  numpy, pandas    arrays, series and indexes: lists; scalars: their Python value; NaT and NA:
                   null; DataFrame: records
  Spark            DataFrame: its first rows as records; RDD: its first ten elements
  Enum, dataclass, UUID, path, Fraction: value, dict of fields, str
Anything else is a TypeError, a cycle or too deep a nesting a ValueError.
"""

import base64
import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import math
import pathlib
import re
import uuid

MAX_DEPTH = 100
MAX_ROWS = 10000  # of a Spark DataFrame
RDD_ROWS = 10

_SURROGATE = re.compile("[\ud800-\udfff]")
_AS_TEXT = (datetime.timedelta, uuid.UUID, pathlib.PurePath, fractions.Fraction)


def dumps(value):
    """JSON text in UTF-8 of a JSON value. Lone surrogates, which are no Unicode text, come out
    escaped.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda match: "\\\\u%04x" % ord(match.group()), text).encode("utf-8")


def convert(value):
    """The JSON value of any value, in types that json knows."""
    return _Conversion().convert(value)


def spark_class(value, name):
    """Whether value is of pyspark's class of that name (DataFrame, RDD, Row), without importing
    pyspark.
    """
    return any(
        kind.__name__ == name and kind.__module__.startswith("pyspark.")
        for kind in type(value).__mro__
    )


def library(value, name):
    """Whether value's class, or one it derives from, is of that top-level package."""
    return any(
        kind.__module__ == name or kind.__module__.startswith(name + ".")
        for kind in type(value).__mro__
    )


def is_missing(value):
    """pandas' and numpy's words for no value, but NaN."""
    return type(value).__name__ in ("NaTType", "NAType") or (
        type(value).__name__ in ("datetime64", "timedelta64") and str(value) == "NaT"
    )


def from_numpy(value):
    """A numpy scalar or array in Python's own types."""
    unit = value.dtype.str.partition("[")[2]
    if value.dtype.kind in "mM" and unit in ("ns]", "ps]", "fs]", "as]"):
        # Finer than Python's own, which tolist() would turn into bare ints.
        return value.astype(value.dtype.str[:2] + "8[us]").tolist()
    return value.tolist()


class _Conversion:
    def __init__(self):
        self._path = (
            set()
        )  # of the containers that are being converted: one that is met again contains itself

    def convert(self, value):
        kind = type(value)
        if kind in (str, int, bool, type(None)):
            return value
        if kind is float:
            return value if math.isfinite(value) else None
        if isinstance(value, enum.Enum):
            return self._inside(value, lambda: self.convert(value.value))
        if is_missing(value):
            return None
        if library(value, "numpy") and hasattr(value, "dtype"):
            return self._inside(value, lambda: self._from_numpy(value))
        if isinstance(value, str):
            return str(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else None
        if isinstance(value, decimal.Decimal):
            return None if value.is_nan() else str(value)
        if isinstance(value, (datetime.date, datetime.time)):
            return value.isoformat()
        if isinstance(value, _AS_TEXT):
            return str(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return base64.b64encode(bytes(value)).decode("ascii")
        return self._inside(value, lambda: self._container(value))

    def _inside(self, value, body):
        mark = id(value)
        if mark in self._path:
            raise ValueError("Circular reference detected")
        if len(self._path) >= MAX_DEPTH:
            raise ValueError("nested deeper than %d levels" % MAX_DEPTH)
        self._path.add(mark)
        try:
            return body()
        finally:
            self._path.discard(mark)

    def _list(self, values):
        return [self.convert(member) for member in values]

    def _dict(self, pairs):
        return {_key(key): self.convert(member) for key, member in pairs}

    def _from_numpy(self, value):
        python = from_numpy(value)
        if type(python) is type(value):
            raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)
        return self.convert(python)

    def _container(self, value):
        if isinstance(value, collections.abc.Mapping):
            return self._dict(value.items())
        if isinstance(value, collections.abc.Set):
            return self._list(_sorted(value))
        if isinstance(value, (collections.abc.Sequence, collections.abc.ValuesView)):
            return self._list(value)
        if isinstance(value, collections.deque):
            return self._list(value)
        if library(value, "pandas"):
            return self._from_pandas(value)
        if library(value, "pyspark"):
            return self._from_spark(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._dict(
                (field.name, getattr(value, field.name)) for field in dataclasses.fields(value)
            )
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)

    def _from_pandas(self, value):
        if hasattr(value, "columns") and hasattr(value, "itertuples"):
            names = [_key(name) for name in value.columns]
            return [
                dict(zip(names, self._list(row)))
                for row in value.itertuples(index=False, name=None)
            ]
        if hasattr(value, "tolist"):
            return self._list(value.tolist())
        if hasattr(value, "isoformat"):
            return value.isoformat()
        return str(value)

    def _from_spark(self, value):
        if spark_class(value, "DataFrame"):
            return self._list(row.asDict(True) for row in value.take(MAX_ROWS))
        if spark_class(value, "RDD"):
            return self._list(value.take(RDD_ROWS))
        if hasattr(value, "toArray"):
            return self.convert(value.toArray())
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def _key(key):
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    return str(key)


def _sorted(members):
    try:
        return sorted(members)
    except TypeError:
        return sorted(members, key=lambda member: (type(member).__name__, repr(member)))
