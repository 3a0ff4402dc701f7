"""Client for Hearth: sessions of Spark and other REPLs that stay warm on a server.

>>> import hearth
>>> with hearth.Session("http://127.0.0.1:8998", kind="pyspark") as session:
...     session.run("1 + 1").text
'2'
"""

from .errors import HearthError, HttpError, SessionError, StatementError
from .progress import Live, ProgressBar
from .result import Result
from .session import Session
from .shared import SharedRdd

__all__ = [
    "HearthError",
    "HttpError",
    "Live",
    "ProgressBar",
    "Result",
    "Session",
    "SessionError",
    "SharedRdd",
    "StatementError",
]
