import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests" / "fakes"))

from spark_driver import *  # noqa: E402, F403
from sql_channel import Sql  # noqa: E402


@pytest.fixture(scope="session")
def sql(shared):
    """SQL on the shared driver."""
    opened = Sql(shared)
    yield opened
    assert opened.data("select 40 + 2") == [[42]]
