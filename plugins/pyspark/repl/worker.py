"""Starts the Python worker: the process that runs the Python statements of a session.

Run as a script by the driver, beside the other modules of this folder (plugin-api/doc/link.md,
"Workers"). The modules are loaded as a package of their own, so that user code that imports
`tables` or `errors` never gets ours.
"""

import importlib
import os
import sys
import types

PACKAGE = "_hearth_worker"


def load(name):
    """Imports a module of this folder as a part of the worker's package."""
    if PACKAGE not in sys.modules:
        package = types.ModuleType(PACKAGE)
        package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
        sys.modules[PACKAGE] = package
    return importlib.import_module(PACKAGE + "." + name)


if __name__ == "__main__":
    write_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    mainloop = load("mainloop")
    sys.dont_write_bytecode = write_bytecode
    mainloop.main()
