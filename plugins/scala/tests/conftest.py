import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests" / "fakes"))

from spark_driver import *  # noqa: E402, F403
