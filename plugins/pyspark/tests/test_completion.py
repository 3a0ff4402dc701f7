"""Completion: names that fit, at once, and without running anything of the user's."""

import time


def test_names_keywords_and_builtins(shared):
    shared.run("alpha_one = 1\ndef alpha_two(): pass\nimport json, os")
    assert shared.complete("alpha_") == ["alpha_one", "alpha_two"]
    assert shared.complete("x = alpha_t") == ["alpha_two"]
    assert shared.complete("print(alpha_o") == ["alpha_one"]
    assert shared.complete("prin") == ["print"]
    assert shared.complete("whil") == ["while"]
    assert shared.complete("alpha_one + 1", 6) == ["alpha_one", "alpha_two"]
    assert shared.complete("\u00e9\U0001f600 alpha_t\nrest", 10) == ["alpha_two"]


def test_attributes_of_modules_instances_and_classes(shared):
    shared.run(
        "import json, os\nclass K:\n    field = 1\n    def method(self): pass\nk = K()\nk.own = 2\ns = 'text'"
    )
    assert shared.complete("json.du") == ["dump", "dumps"]
    assert shared.complete("os.path.joi") == ["join"]
    assert shared.complete("k.") == ["field", "method", "own"]
    assert shared.complete("K.me") == ["method"]
    assert shared.complete("s.startsw") == ["startswith"]
    assert shared.complete("k.__ini") == ["__init__", "__init_subclass__"]


def test_nothing_fits(shared):
    for code in (
        "",
        "   ",
        "nosuch.",
        "1.",
        "f().x",
        "''.x",
        "[1].x",
        "nosuch_name_qq",
        "k.own.",
        "1 + ",
        "a..b",
        ".",
        ".",
    ):
        found = shared.complete(code)
        assert found == [] or code == "k.own." and "real" in found, code


def test_cursors_out_of_range_do_no_harm(shared):
    assert shared.complete("prin", 400) == ["print"]
    assert shared.complete("prin", 0) == []
    assert shared.complete("prin", -5) == []


def test_magics(shared):
    assert shared.complete("%") == ["json", "matplot", "table"]
    assert shared.complete("x = 1\n%ta") == ["table"]


def test_no_user_code_runs(shared):
    shared.run(
        """
touched = []
class Trap:
    kept = 1
    @property
    def prop(self): touched.append('property'); return self
    def __getattr__(self, name): touched.append('getattr'); raise AttributeError
    def __getattribute__(self, name): touched.append('getattribute'); return object.__getattribute__(self, name)
    def __dir__(self): touched.append('dir'); return []
class Meta(type):
    def __getattribute__(c, name): touched.append('meta'); return type.__getattribute__(c, name)
class Other(metaclass=Meta): pass
trap = Trap()
other = Other()
"""
    )
    assert "kept" in shared.complete("trap.") and "prop" in shared.complete("trap.")
    assert shared.complete("trap.prop.") == []
    assert shared.complete("trap.missing.") == []
    shared.complete("other.x")
    shared.complete("Other.x")
    assert shared.text("touched") == "[]"


def test_property_with_a_known_type_completes_without_being_read(shared):
    shared.run(
        "class R:\n    def table(self): pass\nclass S:\n    @property\n    def read(self) -> 'R': 1/0\nses = S()"
    )
    assert shared.complete("ses.read.ta") == ["table"]


def test_completion_does_not_wait_for_the_running_statement(shared):
    statement = shared.start("print('going')\nwhile True: pass")
    shared.stdout.wait_for(b"going")
    start = time.monotonic()
    assert shared.complete("prin") == ["print"]
    assert time.monotonic() - start < 2
    shared.interrupt(statement)
    shared.wait(statement)


def test_malformed_request_is_answered_with_an_error(shared):
    from fake_driver import COMPLETE, REPLY

    shared.send(COMPLETE, 5, b"{")
    kind, status, request, _ = shared._next(shared._replies)
    assert (kind, status, request) == (REPLY, 7, 5)
