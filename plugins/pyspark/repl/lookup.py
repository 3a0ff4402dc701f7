"""Values found by name without running any of the user's code, so that it may be done beside a
statement that runs: attributes are looked up statically, and no property, __getattr__ or __dir__
is called.
"""

import builtins
import types

UNKNOWN = object()


def resolve(path, names):
    """The value that a path of names leads to from the user's names, else UNKNOWN. It may be an
    Instance.
    """
    target = names.get(path[0], UNKNOWN)
    if target is UNKNOWN:
        target = getattr(builtins, path[0], UNKNOWN)
    for name in path[1:]:
        target = attribute(target, name)
    return target


class Instance:
    """Stands for a value of which only the class is known, from a property's annotation."""

    def __init__(self, kind):
        self.kind = kind


def is_a(value, *kinds):
    """isinstance() by the real class alone; isinstance() itself may ask the value for its
    __class__.
    """
    bases = type.__dict__["__mro__"].__get__(type(value))
    return any(base is kind for base in bases for kind in kinds)


def raw_attribute(target, name):
    """The attribute as it is stored: the property, the descriptor. UNKNOWN where there is none."""
    if target is UNKNOWN:
        return UNKNOWN
    if is_a(target, Instance):
        return _of_class(target.kind, name)
    if is_a(target, type):
        found = _of_class(target, name)
        return _of_class(type(target), name) if found is UNKNOWN else found
    found = _of_class(type(target), name)
    if is_a(found, property, types.MemberDescriptorType, types.GetSetDescriptorType):
        return found
    return _own(target).get(name, found)


def _of_class(kind, name):
    # inspect.getattr_static would ask a metaclass for __dict__
    for base in type.__dict__["__mro__"].__get__(kind):
        found = type.__dict__["__dict__"].__get__(base)
        if name in found:
            return found[name]
    return UNKNOWN


def _own(target):
    """The attributes that the value itself has."""
    found = _of_class(type(target), "__dict__")
    if not is_a(found, types.MemberDescriptorType, types.GetSetDescriptorType):
        return {}
    own = found.__get__(target)
    return own if type(own) is dict else {}


def attribute(target, name):
    """The attribute's value when it can be had without running code, else UNKNOWN."""
    found = raw_attribute(target, name)
    if found is UNKNOWN:
        return UNKNOWN
    if is_a(found, property):
        return _annotated(found)
    if is_a(found, staticmethod, classmethod):
        return found.__func__
    if is_a(found, types.MemberDescriptorType, types.GetSetDescriptorType):
        return UNKNOWN
    if is_a(found, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type):
        return found
    if _of_class(type(found), "__get__") is not UNKNOWN:
        return UNKNOWN
    return found


def _annotated(found):
    """What a property says it returns: `spark.read` completes from it without being read."""
    kind = getattr(found.fget, "__annotations__", {}).get("return")
    if is_a(kind, str):
        kind = getattr(found.fget, "__globals__", {}).get(kind.strip("'\""))
    return Instance(kind) if is_a(kind, type) else UNKNOWN


def attributes(target):
    """The names of a value's attributes."""
    if is_a(target, Instance):
        return _class_attributes(target.kind)
    if is_a(target, types.ModuleType):
        return set(list(_own(target)))
    if is_a(target, type):
        return _class_attributes(type(target)) | _class_attributes(target)
    return _class_attributes(type(target)) | set(list(_own(target)))


def _class_attributes(kind):
    found = set()
    for base in type.__dict__["__mro__"].__get__(kind):
        found |= set(list(type.__dict__["__dict__"].__get__(base)))
    return found
