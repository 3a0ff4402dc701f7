"""Inspection: what is known of a name, at once, and without running anything of the user's."""

import time


def test_function_shows_signature_type_docstring_and_source_when_asked(shared):
    shared.run(
        'def area(width, height: float = 2.0, *, unit="m") -> float:\n'
        '    """The area of a field.\n\n    In square units.\n    """\n'
        "    return width * height"
    )
    assert shared.inspect("area") == (
        "Signature: area(width, height: float = 2.0, *, unit='m') -> float\n"
        "Type: function\nDocstring:\nThe area of a field.\n\nIn square units."
    )
    known = shared.inspect("x = area(1)", 6, detail=1)
    assert known.partition("Source:\n")[2].startswith("def area(width, height: float = 2.0")
    assert known.endswith("return width * height")


def test_classes_methods_and_instances(shared):
    shared.run(
        'class Field:\n    """A field."""\n    crop = "wheat"\n'
        '    def __init__(self, width, name="f"):\n        self.width = width\n'
        '    def water(self, litres: int):\n        """Waters it."""\n'
        '    @property\n    def size(self) -> "Field":\n        """How large."""\n        1/0\n'
        "    @classmethod\n    def make(cls, n): pass\n"
        "    @staticmethod\n    def parse(text): pass\n"
        "field = Field(3)"
    )
    assert shared.inspect("Field").startswith(
        "Signature: Field(width, name='f')\nType: type\nDocstring:\nA field."
    )
    assert shared.inspect("field") == "Type: __main__.Field\nDocstring:\nA field."
    assert shared.inspect("field.water") == (
        "Signature: water(litres: int)\nType: function\nDocstring:\nWaters it."
    )
    assert shared.inspect("Field.water").startswith("Signature: water(self, litres: int)")
    assert shared.inspect("field.size") == (
        "Type: property\nReturns: __main__.Field\nDocstring:\nHow large."
    )
    assert shared.inspect("field.make").startswith("Signature: make(n)")
    assert shared.inspect("field.parse").startswith("Signature: parse(text)")
    assert shared.inspect("field.width") == "Type: int\nValue: 3"
    assert shared.inspect("Field", detail=1).partition("Source:\n")[2].startswith("class Field:\n")


def test_plain_values_and_builtins(shared):
    shared.run("number = 42\ntext = 'words'\nrows = [1, 2, 3]\nhuge = 10 ** 9999\nimport json")
    assert shared.inspect("number") == "Type: int\nValue: 42"
    assert shared.inspect("text") == "Type: str\nValue: 'words'\nLength: 5"
    assert shared.inspect("rows") == "Type: list\nLength: 3"
    assert shared.inspect("huge") == "Type: int"
    assert shared.inspect("len").startswith("Signature: len(obj, /)\nType: builtin_function_or_method")
    assert "starts with" in shared.inspect("text.startswith")
    assert "Type: module" in shared.inspect("json")
    assert "Signature: dumps(obj" in shared.inspect("json.dumps")
    assert "def dumps(" in shared.inspect("json.dumps", detail=1)


def test_the_name_is_the_one_at_the_cursor_or_the_one_called(shared):
    shared.run("def alpha(one): pass\nbeta = 7")
    assert shared.inspect("alpha(beta, 1)", 2).startswith("Signature: alpha(one)")
    assert shared.inspect("alpha(beta, 1)", 8) == "Type: int\nValue: 7"
    assert shared.inspect("alpha(beta, ").startswith("Signature: alpha(one)")
    assert shared.inspect("alpha(").startswith("Signature: alpha(one)")
    assert shared.inspect("x = (beta)\nbeta", 13) == "Type: int\nValue: 7"
    assert shared.inspect("\u00e9\U0001f600 beta", 4) == "Type: int\nValue: 7"
    for code in ("", "   ", "nosuch", "nosuch.x", "beta.nosuch", "f().x", "''.join", "[1].x", "1 + "):
        assert shared.inspect(code) is None, code
    assert shared.inspect("beta", 400) == "Type: int\nValue: 7"


def test_no_user_code_runs(shared):
    shared.run(
        """
touched = []
class Meta(type):
    def __getattribute__(c, name): touched.append(name); return type.__getattribute__(c, name)
    def __eq__(c, other): touched.append("eq"); return False
    __hash__ = None
class Trap(metaclass=Meta):
    def __init__(self): pass
    def __getattr__(self, name): touched.append(name)
    def __repr__(self): touched.append("repr"); return "trap"
    def __len__(self): touched.append("len"); return 1
    def __call__(self): touched.append("call")
    @property
    def prop(self): touched.append("prop")
class Shown:
    def __repr__(self): touched.append("repr"); return "shown"
trap = Trap()
def function(a=Shown(), b: Shown() = 1, *c, d=trap) -> Shown(): pass
touched.clear()
"""
    )
    for name in ("trap", "Trap", "trap.prop", "trap.nosuch", "trap.__init__"):
        shared.inspect(name, detail=1)
    assert shared.inspect("function").startswith(
        "Signature: function(a=..., b: ... = 1, *c, d=...) -> ..."
    )
    assert shared.text("touched") == "[]"


def test_inspection_does_not_wait_for_the_running_statement(shared):
    shared.run("seen = 1")
    statement = shared.start("print('going')\nwhile True: pass")
    shared.stdout.wait_for(b"going")
    start = time.monotonic()
    assert shared.inspect("seen") == "Type: int\nValue: 1"
    assert time.monotonic() - start < 20
    assert not shared.ended(statement)
    shared.interrupt(statement)
    shared.wait(statement)
