"""Completion from what the user's module holds.

It runs beside the statement that runs, and so none of the user's code (lookup.py).
"""

import builtins
import keyword
import re

from . import lookup, magics

MAX_CANDIDATES = 1000

_TOKEN = re.compile(r"(?:[^\W\d]\w*\s*\.\s*)*(?:[^\W\d]\w*)?\Z")


def complete(code, cursor, names):
    """The names that complete the token before the cursor (in code points), as whole tokens,
    sorted.
    """
    before = code[: max(0, min(cursor, len(code)))]
    line = before.rpartition("\n")[2]
    magic = re.match(r"%(\w*)\Z", line)
    if magic:
        return sorted(name for name in magics.NAMES if name.startswith(magic.group(1)))
    token = _TOKEN.search(line).group()
    if token and line[: -len(token)].endswith(")."):
        return []
    path = [name.strip() for name in token.split(".")]
    prefix = path.pop()
    if not path:
        before_token = line[: len(line) - len(token)].rstrip()
        if not prefix or before_token.endswith("."):
            return []
        candidates = set(list(names)) | set(dir(builtins)) | set(keyword.kwlist)
    else:
        if line[: len(line) - len(token)].rstrip().endswith((".", ")", "]", "'", '"')):
            return []
        target = lookup.resolve(path, names)
        if target is lookup.UNKNOWN:
            return []
        candidates = lookup.attributes(target)
    found = sorted(
        name
        for name in candidates
        if isinstance(name, str) and name.startswith(prefix) and name != prefix
    )
    if not prefix.startswith("_"):
        found = [name for name in found if not name.startswith("_")]
    return found[:MAX_CANDIDATES]
