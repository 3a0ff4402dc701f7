"""Statements: a text is parsed whole, then run part by part in the user's module.

A part is Python code or a magic: a line that begins with %, or one that begins with %% and all
that follows it. A text that parses as Python is Python, whatever its lines begin with.
"""

import __future__
import ast
import linecache
import re
import sys

from . import magics
from .errors import cell_name

_MAGIC = re.compile(r"%(\S*)\s*(.*)", re.DOTALL)
_MAX_SOURCES = 2000  # cells whose text is kept for tracebacks and inspect
_FUTURES = [getattr(__future__, name) for name in __future__.all_feature_names]
_COROUTINE = 0x80  # inspect.CO_COROUTINE
_SHOWN_AS = "<stdin>"


class PythonPart:
    """Code objects to run in order; only the value of the last node is echoed, as at Python's
    prompt.
    """

    def __init__(self, codes):
        self._codes = codes

    def run(self, interpreter):
        for code in self._codes:
            interpreter.evaluate(code)
        return None


class MagicPart:
    def __init__(self, name, operand, code):
        self._name, self._operand, self._code = name, operand, code

    def run(self, interpreter):
        return magics.run(self._name, self._operand, lambda: interpreter.evaluate(self._code))


class Interpreter:
    """The user's module and what compiling and running in it takes."""

    def __init__(self, module):
        self._module = module
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._sources = []
        self._loop = None

    @property
    def names(self):
        return self._module.__dict__

    def parse(self, text, statement):
        """Returns the parts of a text. Raises what the text is wrong with (SyntaxError and kin):
        then nothing has run.
        """
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        name = cell_name(statement)
        self._remember(name, text)
        try:
            return self._python(text, name)
        except SyntaxError:
            if re.search(r"^%", text, re.MULTILINE) is None:
                raise
        return self._mixed(text.split("\n"), name)

    def run(self, parts):
        """Runs the parts. Returns the result of a magic that is the last one, else None."""
        result = None
        for part in parts:
            result = part.run(self)
        return result

    def evaluate(self, code):
        value = eval(code, self._module.__dict__)
        return self._await(value) if code.co_flags & _COROUTINE else value

    def restore(self):
        """Puts back what user code may have done to the interpreter itself."""
        sys.modules["__main__"] = self._module
        if sys.gettrace() is not None:
            sys.settrace(None)
        if sys.getprofile() is not None:
            sys.setprofile(None)

    def _mixed(self, lines, name):
        parts = []
        start = 0  # of the Python code that no magic has ended yet
        for number, line in enumerate(lines):
            if not line.startswith("%"):
                continue
            try:
                parts.extend(self._python("\n" * start + "\n".join(lines[start:number]), name))
            except SyntaxError:
                # inside a string or an expression: not a magic, if the whole is right at all
                continue
            if line.startswith("%%"):
                block = "\n".join(lines[number:])[1:]
                parts.append(self._magic(block, number, name))
                return parts
            parts.append(self._magic(line, number, name))
            start = number + 1
        parts.extend(self._python("\n" * start + "\n".join(lines[start:]), name))
        return parts

    def _magic(self, text, number, name):
        magic, operand = _MAGIC.match(text).groups()
        operand = operand.strip()
        code = None
        if operand and magic in magics.NAMES:
            above = "\n" * (number + text[: text.index(operand)].count("\n"))
            code = self._compile(self._tree(above + operand, "eval"), name, "eval")
        return MagicPart(magic, operand, code)

    def _python(self, text, name):
        tree = self._tree(text, "exec")
        if not tree.body:
            return []
        flags = self._flags
        try:
            last = ast.Interactive(body=[tree.body.pop()])
            codes = []
            if tree.body:
                codes.append(self._compile(tree, name, "exec"))
            codes.append(self._compile(last, name, "single"))
            return [PythonPart(codes)]
        except BaseException:
            self._flags = flags
            raise

    def _tree(self, text, mode):
        return compile(text, _SHOWN_AS, mode, self._flags | ast.PyCF_ONLY_AST, True)

    def _compile(self, tree, name, mode):
        try:
            code = compile(tree, name, mode, self._flags, True)
        except SyntaxError as error:
            error.filename = _SHOWN_AS
            raise
        for (
            feature
        ) in _FUTURES:  # `from __future__ import` holds for later statements, as at Python's prompt
            self._flags |= code.co_flags & feature.compiler_flag
        return code

    def _remember(self, name, text):
        lines = [line + "\n" for line in text.split("\n")]
        linecache.cache[name] = (len(text), None, lines, name)
        self._sources.append(name)
        if len(self._sources) > _MAX_SOURCES:
            linecache.cache.pop(self._sources.pop(0), None)

    def _await(self, coroutine):
        import asyncio

        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(coroutine)
        try:
            return self._loop.run_until_complete(task)
        finally:
            if not task.done():  # interrupted: let its own clean-up run
                task.cancel()
                self._loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
