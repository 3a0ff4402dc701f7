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


def homes_for(module):
    """What is the same for all versions of Spark runs once, on the newest."""
    return spark_homes()[:1] if getattr(module, "ANY_SPARK", False) else spark_homes()


def version_of(home):
    return home.parent.name if home.name == "pyspark" else home.name
