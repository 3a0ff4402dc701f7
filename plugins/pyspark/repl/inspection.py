"""What is known of a name: signature, type, plain values, docstring, source.

As completion it runs beside the statement that runs, and none of the user's code (lookup.py): a
default or an annotation is shown where its text can be had without asking the user's classes.
"""

import ast
import inspect
import linecache
import re
import types

from . import lookup

MAX_TEXT = 64 << 10

_PATH_BEFORE = re.compile(r"(?:[^\W\d]\w*\s*\.\s*)*(?:[^\W\d]\w*)?\Z")
_REST = re.compile(r"\w*")
_PLAIN = (int, float, complex, bool, str, bytes, type(None))
_SIZED = (str, bytes, list, tuple, dict, set, frozenset)
_ELSEWHERE = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)
_MAX_VALUE = 200


def inspect_at(code, cursor, names, detail=0):
    """What is known of the name at the cursor (in code points), or of the function whose arguments
    the cursor is among. Returns text, None where nothing is known; with detail, source too.
    """
    path = _path_at(code, max(0, min(cursor, len(code))))
    if path is None:
        return None
    if len(path) == 1:
        found = lookup.resolve(path, names)
        owner = lookup.UNKNOWN
    else:
        owner = lookup.resolve(path[:-1], names)
        found = lookup.raw_attribute(owner, path[-1])
    if found is lookup.UNKNOWN:
        return None
    return "\n".join(_lines(path[-1], owner, found, detail))[:MAX_TEXT]


def _path_at(code, cursor):
    before = code[:cursor].rpartition("\n")[2]
    after = _REST.match(code, cursor).group()
    path = _names(before, after)
    if path is None and not after:
        call = _open_call(code[:cursor])
        if call is not None:
            path = _names(call.rpartition("\n")[2], "")
    return path


def _names(before, after):
    token = _PATH_BEFORE.search(before).group()
    if before[: len(before) - len(token)].rstrip().endswith((".", ")", "]", "'", '"')) and (
        "." in token or before[: len(before) - len(token)].rstrip().endswith(".")
    ):
        return None  # an attribute of what only running could tell
    path = [name.strip() for name in (token + after).split(".")]
    return path if all(name.isidentifier() for name in path) else None


def _open_call(before):
    """The text up to the parenthesis that is open at its end, or None."""
    depth = 0
    for at in range(len(before) - 1, -1, -1):
        if before[at] in ")]}":
            depth += 1
        elif before[at] in "([{":
            if depth == 0:
                return before[:at].rstrip() if before[at] == "(" else None
            depth -= 1
    return None


def _lines(name, owner, found, detail):
    kind = lookup.Instance(found.kind) if lookup.is_a(found, lookup.Instance) else None
    if lookup.is_a(found, staticmethod, classmethod):
        bound = lookup.is_a(found, classmethod)
        function = found.__func__
    else:
        # A function found through an instance comes without its first parameter.
        bound = owner is not lookup.UNKNOWN and not lookup.is_a(owner, types.ModuleType, type)
        function = found
    if lookup.is_a(function, types.MethodType):
        bound, function = True, function.__func__
    function = _unwrapped(function)

    lines = []
    signature = _signature(function, bound)
    if signature is not None:
        lines.append("Signature: " + name + signature)
    lines.append("Type: " + _type_name(kind.kind if kind else type(found)))
    if lookup.is_a(found, property):
        returned = lookup.attribute(owner, name)
        if returned is not lookup.UNKNOWN:
            lines.append("Returns: " + _type_name(returned.kind))
    if _exactly(found, _PLAIN) and not _is_long(found):
        value = repr(found[:_MAX_VALUE] if _exactly(found, (str, bytes)) else found)
        lines.append("Value: " + value[:_MAX_VALUE])
    if _exactly(found, _SIZED):
        lines.append("Length: %d" % len(found))
    text = _doc(function if kind is None else kind.kind)
    if text:
        lines += ["Docstring:", text]
    if detail:
        source = _source(function if kind is None else kind.kind)
        if source:
            lines += ["Source:", source]
    return lines


def _exactly(value, kinds):
    # `in` would ask the class's own __eq__
    return any(type(value) is kind for kind in kinds)


def _is_long(value):
    return type(value) is int and value.bit_length() > 1000


def _unwrapped(function):
    for _ in range(10):
        if not lookup.is_a(function, types.FunctionType):
            break
        inner = function.__dict__.get("__wrapped__")
        if inner is None:
            break
        function = inner
    return function


def _type_name(kind):
    module = type.__dict__["__dict__"].__get__(kind).get("__module__")
    name = type.__dict__["__qualname__"].__get__(kind)
    return name if type(module) is not str or module == "builtins" else module + "." + name


def _signature(function, bound):
    if lookup.is_a(function, type):
        for name in ("__init__", "__new__"):
            maker = _unwrapped(lookup.raw_attribute(function, name))
            if lookup.is_a(maker, staticmethod):
                maker = maker.__func__
            if lookup.is_a(maker, types.FunctionType):
                return _signature(maker, True)
        text = type.__dict__["__text_signature__"].__get__(function)
        return _without_self(text) if text else None
    if lookup.is_a(function, types.FunctionType):
        return _of_function(function, bound)
    if lookup.is_a(function, *_ELSEWHERE):
        text = function.__text_signature__
        return _without_self(text) if text else None
    return None


def _without_self(text):
    text = re.sub(r"\(\$(self|module|cls|type)(, /)?(, )?", "(", text)
    return text.replace("$", "")


def _of_function(function, bound):
    try:
        signature = inspect.Signature.from_callable(function, follow_wrapped=False)
    except (ValueError, TypeError):
        return None
    shown = [
        parameter.replace(
            default=_Text(_value(parameter.default))
            if parameter.default is not parameter.empty
            else parameter.empty,
            annotation=_Text(_annotation(parameter.annotation))
            if parameter.annotation is not parameter.empty
            else parameter.empty,
        )
        for parameter in signature.parameters.values()
    ]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if bound and shown and shown[0].kind in positional:
        shown = shown[1:]
    returns = signature.return_annotation
    if returns is not signature.empty:
        returns = _Text(_annotation(returns))
    return str(signature.replace(parameters=shown, return_annotation=returns))


class _Text:
    """A text that shows as it is in a signature."""

    def __init__(self, text):
        self._text = text

    def __repr__(self):
        return self._text


def _value(value):
    if _exactly(value, _PLAIN) and not _is_long(value):
        return repr(value)[:_MAX_VALUE]
    if _exactly(value, _SIZED) and not value:
        return repr(value)
    return _annotation(value) if lookup.is_a(value, type, types.FunctionType) else "..."


def _annotation(annotation):
    if annotation is None or type(annotation) is str:
        return str(annotation)
    if lookup.is_a(annotation, type) and type(annotation) is type:
        return type.__dict__["__qualname__"].__get__(annotation)
    if lookup.is_a(annotation, types.FunctionType):
        return annotation.__name__
    if type.__dict__["__dict__"].__get__(type(annotation)).get("__module__") == "typing":
        return repr(annotation).replace("typing.", "")
    return "..."


def _doc(found):
    if lookup.is_a(found, type):
        text = _doc_of_class(found)
    elif lookup.is_a(found, types.FunctionType, property, types.ModuleType, *_ELSEWHERE):
        text = found.__doc__
    else:
        text = _doc_of_class(type(found)) if not _exactly(found, _PLAIN + _SIZED) else None
    return inspect.cleandoc(text) if type(text) is str else None


def _doc_of_class(kind):
    own = type.__dict__["__dict__"].__get__(kind).get("__doc__")
    return own if type(own) is str else type.__dict__["__doc__"].__get__(kind)


def _source(found):
    if lookup.is_a(found, property):
        found = _unwrapped(found.fget)
    if lookup.is_a(found, types.FunctionType):
        code = found.__code__
        lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
        return "".join(inspect.getblock(lines)).rstrip() if lines else None
    return _source_of_class(found) if lookup.is_a(found, type) else None


def _source_of_class(kind):
    # A class does not know where it comes from; its methods do.
    for member in list(type.__dict__["__dict__"].__get__(kind).values()):
        member = member.__func__ if lookup.is_a(member, staticmethod, classmethod) else member
        member = _unwrapped(member.fget if lookup.is_a(member, property) else member)
        if not lookup.is_a(member, types.FunctionType):
            continue
        lines = linecache.getlines(member.__code__.co_filename)
        first = member.__code__.co_firstlineno
        name = type.__dict__["__name__"].__get__(kind)
        try:
            nodes = ast.walk(ast.parse("".join(lines)))
        except SyntaxError:
            continue  # a cell with magics
        for node in nodes:
            if isinstance(node, ast.ClassDef) and node.name == name:
                if node.lineno <= first <= node.end_lineno:
                    start = min([node.lineno] + [each.lineno for each in node.decorator_list])
                    return "".join(lines[start - 1 : node.end_lineno]).rstrip()
    return None
