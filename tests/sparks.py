"""The Sparks that tests run on.

HEARTH_SPARKS names their homes, separated by colons; default: those that script/setup --tests installs.
"""

import os
import pathlib

from harness import ROOT


def spark_homes():
    """The newest first."""
    named = os.environ.get("HEARTH_SPARKS")
    if named:
        return [pathlib.Path(home) for home in named.split(":")]
    return sorted((ROOT / ".spark").glob("*/pyspark"), reverse=True)


def is_for_any(test):
    """Whether a test is of what is the same for all versions of Spark: its module has ANY_SPARK, or it is marked so."""
    return getattr(test.module, "ANY_SPARK", False) or test.definition.get_closest_marker("any_spark") is not None


def homes_for(test):
    """What is the same for all versions runs once, on the newest."""
    return spark_homes()[:1] if is_for_any(test) else spark_homes()


def version_of(home):
    return home.parent.name if home.name == "pyspark" else home.name
