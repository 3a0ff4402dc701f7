"""Completion from what the user's module holds.

It runs beside the statement that runs, so it must not run any of the user's code: attributes are
looked up statically, and no property, __getattr__ or __dir__ is called.
"""

import builtins
import inspect
import keyword
import re
import types

from . import magics

MAX_CANDIDATES = 1000

_TOKEN = re.compile(r"(?:[^\W\d]\w*\s*\.\s*)*(?:[^\W\d]\w*)?\Z")
_UNKNOWN = object()


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
        target = names.get(path[0], _UNKNOWN)
        if target is _UNKNOWN:
            target = getattr(builtins, path[0], _UNKNOWN)
        for name in path[1:]:
            target = _attribute(target, name)
        if target is _UNKNOWN:
            return []
        candidates = _attributes(target)
    found = sorted(
        name
        for name in candidates
        if isinstance(name, str) and name.startswith(prefix) and name != prefix
    )
    if not prefix.startswith("_"):
        found = [name for name in found if not name.startswith("_")]
    return found[:MAX_CANDIDATES]


class _Instance:
    """Stands for a value of which only the class is known, from a property's annotation."""

    def __init__(self, kind):
        self.kind = kind


def _is(value, *kinds):
    """isinstance() by the real class alone; isinstance() itself may ask the value for its
    __class__.
    """
    bases = type.__dict__["__mro__"].__get__(type(value))
    return any(base is kind for base in bases for kind in kinds)


def _attribute(target, name):
    """The attribute's value when it can be had without running code, else _UNKNOWN."""
    if target is _UNKNOWN:
        return _UNKNOWN
    try:
        found = inspect.getattr_static(target.kind if _is(target, _Instance) else target, name)
    except (AttributeError, TypeError):
        return _UNKNOWN
    if _is(found, property):
        return _annotated(found)
    if _is(found, staticmethod, classmethod):
        return found.__func__
    if _is(found, types.MemberDescriptorType, types.GetSetDescriptorType):
        return _UNKNOWN
    if _is(found, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type):
        return found
    if inspect.getattr_static(type(found), "__get__", None) is not None:
        return _UNKNOWN
    return found


def _annotated(found):
    """What a property says it returns: `spark.read` completes from it without being read."""
    kind = getattr(found.fget, "__annotations__", {}).get("return")
    if _is(kind, str):
        kind = getattr(found.fget, "__globals__", {}).get(kind.strip("'\""))
    return _Instance(kind) if _is(kind, type) else _UNKNOWN


def _attributes(target):
    if _is(target, _Instance):
        return _class_attributes(target.kind)
    if _is(target, types.ModuleType):
        return set(list(object.__getattribute__(target, "__dict__")))
    found = _class_attributes(type(target))
    try:
        found |= set(list(object.__getattribute__(target, "__dict__")))
    except AttributeError:
        pass
    if _is(target, type):
        found |= _class_attributes(target)
    return found


def _class_attributes(kind):
    found = set()
    for base in type.__dict__["__mro__"].__get__(kind):
        found |= set(list(type.__dict__["__dict__"].__get__(base)))
    return found
