"""Magics: Livy's shapes, and a right answer or a clear error for every input that killed its interpreter."""

import json

import pytest

JSON = "application/json"
TABLE = "application/vnd.livy.table.v1+json"
KNOWN = "the magics of Python are %json, %matplot, %sql, %table\n"


def table(worker, expression, setup=""):
    bundle = worker.ok(setup + "\n%table " + expression)
    assert list(bundle) == [TABLE]
    return [(h["name"], h["type"]) for h in bundle[TABLE]["headers"]], bundle[TABLE]["data"]


# Lines -----------------------------------------------------------------------------------------------------------------


def test_magic_between_python(shared):
    assert shared.ok("x = [[1,'a'],[3,'b']]\n%json x") == {JSON: [[1, "a"], [3, "b"]]}
    assert shared.ok("%json 1\n%json 2") == {JSON: 2}
    assert shared.ok("def f():\n    return 3\n\n%json f()\n# done") == {JSON: 3}


def test_text_after_a_magic_wins(shared):
    assert shared.ok("%json 1\nprint('after')") == {"text/plain": "after"}
    assert shared.ok("%json 1\n5") == {"text/plain": "5"}


def test_text_before_a_magic_goes_with_it(shared):
    assert shared.ok("print('before')\n%json 1") == {JSON: 1, "text/plain": "before"}
    assert shared.ok("5\n%json 1") == {JSON: 1, "text/plain": "5"}


def test_percent_at_the_start_of_a_line_of_python_is_python(shared):
    assert shared.text("(10\n%3)") == "1"
    assert shared.text("'''\n%json x\n'''") == repr("\n%json x\n")
    assert shared.text("x = 10 \\\n%3\nx") == "1"


def test_percent_inside_python_beside_a_real_magic(shared):
    assert shared.ok("s = '''\n%d items\n%d\n''' % (3, 4)\n%json s") == {JSON: "\n3 items\n4\n"}
    assert shared.ok("y = (10\n%3)\n%json y\r\n") == {JSON: 1}


def test_nothing_runs_when_a_syntax_error_is_anywhere(shared):
    shared.text("ran = []")
    for code in (
        "ran.append(1)\n%json 1\n1 +* 2",
        "ran.append(1)\n%json 1 +* 2",
        "1 +* 2\n%json ran.append(1)",
    ):
        error = shared.error(code)
        assert error["ename"] == "SyntaxError" and "<stdin>" in error["evalue"]
    assert shared.text("ran") == "[]"


def test_syntax_errors_count_lines_of_the_whole_statement(shared):
    assert (
        shared.error("x = 1\n%json x\ny = 2\n1 +* 2")["evalue"]
        == "invalid syntax (<stdin>, line 4)"
    )
    assert (
        shared.error("x = 1\n%json x\ny = 2\n%json 1 +* 2")["evalue"]
        == "invalid syntax (<stdin>, line 4)"
    )
    assert shared.error("x = 1\n%json x\ndef f():\n    1/0\nf()")["traceback"][1].startswith(
        '  File "<stdin>", line 4, in f'
    )


def test_unknown_magic(shared):
    assert shared.error("%foo") == {
        "ename": "UnknownMagic",
        "evalue": "unknown magic command 'foo'",
        "traceback": ["UnknownMagic: unknown magic command 'foo'\n", KNOWN],
    }
    assert shared.error("%foo bar")["evalue"] == "unknown magic command 'foo'"
    assert shared.error("%%foo\nbar")["evalue"] == "unknown magic command 'foo'"


def test_a_block_of_a_magic_is_the_rest_of_the_cell(shared):
    assert shared.ok("x = [1,\n 2]\n%%json\n[y\n  for y in x]\n") == {JSON: [1, 2]}
    assert shared.ok("%%json [1,\n2]") == {JSON: [1, 2]}
    assert shared.error("1\n\n%%json\n\n[1,\n+*]")["traceback"][0].startswith(
        '  File "<stdin>", line 6'
    )
    assert shared.text('"""\n%%json\n"""') == repr("\n%%json\n")


@pytest.mark.parametrize("code", ["%", "% ", "% json x", "%\n1"])
def test_lone_percent(shared, code):
    assert shared.error(code) == {
        "ename": "UnknownMagic",
        "evalue": "magic command not specified",
        "traceback": ["UnknownMagic: magic command not specified\n", KNOWN],
    }


@pytest.mark.parametrize("name", ["json", "table", "matplot"])
def test_magic_without_its_operand(shared, name):
    error = shared.error("%" + name)
    assert error["ename"] == "MagicError" and error["evalue"].startswith(
        "%%%s needs an expression" % name
    )
    assert shared.error("%%%s   " % name) == error
    assert shared.text("1+1") == "2"


@pytest.mark.parametrize("name", ["json", "table", "matplot"])
def test_magic_of_an_undefined_name(shared, name):
    assert shared.error("%%%s nosuch_qq" % name) == {
        "ename": "NameError",
        "evalue": "name 'nosuch_qq' is not defined",
        "traceback": [
            "Traceback (most recent call last):\n",
            "NameError: name 'nosuch_qq' is not defined\n",
        ],
    }


def test_magic_of_an_expression_that_fails(shared):
    assert shared.error("%json 1/0")["ename"] == "ZeroDivisionError"
    assert shared.error("%json x = 1")["ename"] == "SyntaxError"
    assert shared.ok("import asyncio\n%json await asyncio.sleep(0, 9)") == {JSON: 9}
    assert shared.ok("%json  {'two': 'spaces'}") == {JSON: {"two": "spaces"}}
    assert shared.ok("%json 1  # comment") == {JSON: 1}


def test_magics_do_not_touch_the_echo_variable(shared):
    shared.text("41")
    shared.ok("%json 1")
    assert shared.text("_ + 1") == "42"


# %json -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression, value",
    [
        ("None", None),
        ("True", True),
        ("10**30", 10**30),
        ("1.5", 1.5),
        ("[float('nan'), float('inf'), -float('inf')]", [None, None, None]),
        ("{'a': (1, [2, {'b': None}])}", {"a": [1, [2, {"b": None}]]}),
        ("datetime.date(2020, 1, 2)", "2020-01-02"),
        ("datetime.datetime(2020, 1, 2, 3, 4, 5, 6)", "2020-01-02T03:04:05.000006"),
        (
            "datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc)",
            "2020-01-02T00:00:00+00:00",
        ),
        ("datetime.time(1, 2)", "01:02:00"),
        ("datetime.timedelta(1, 2)", "1 day, 0:00:02"),
        ("decimal.Decimal('1.10')", "1.10"),
        ("decimal.Decimal('nan')", None),
        ("b'\\x00\\xff'", "AP8="),
        ("bytearray(b'ab')", "YWI="),
        ("{3, 1, 2}", [1, 2, 3]),
        ("frozenset('ba')", ["a", "b"]),
        ("{1, 'a'}", [1, "a"]),
        (
            "{1: 'a', None: 'b', True: 'c', 2.5: 'd', (1, 2): 'e'}",
            {"1": "c", "null": "b", "2.5": "d", "(1, 2)": "e"},
        ),
        ("range(3)", [0, 1, 2]),
        ("{'a': 1}.values()", [1]),
        ("{'a': 1}.keys()", ["a"]),
        ("collections.deque([1])", [1]),
        ("collections.OrderedDict(a=1)", {"a": 1}),
        ("collections.namedtuple('P', 'x y')(1, 2)", [1, 2]),
        ("enum.Enum('E', 'A B').B", 2),
        ("enum.IntEnum('E', 'A B').B", 2),
        ("uuid.UUID(int=1)", "00000000-0000-0000-0000-000000000001"),
        ("pathlib.PurePosixPath('/a/b')", "/a/b"),
        ("dataclasses.make_dataclass('D', ['x'])(5)", {"x": 5}),
        ("'\\u00e9\\U0001f600\\x00\\n\"'", '\u00e9\U0001f600\x00\n"'),
        ("[[]] * 3", [[], [], []]),
    ],
)
def test_json_of(shared, expression, value):
    code = (
        "import collections, dataclasses, datetime, decimal, enum, pathlib, uuid\n%json "
        + expression
    )
    assert shared.ok(code) == {JSON: value}


@pytest.mark.parametrize(
    "expression, ename, evalue",
    [
        ("object()", "TypeError", "Object of type object is not JSON serializable"),
        ("1j", "TypeError", "Object of type complex is not JSON serializable"),
        ("len", "TypeError", "Object of type builtin_function_or_method is not JSON serializable"),
        ("cycle", "ValueError", "Circular reference detected"),
        ("{'a': cycle}", "ValueError", "Circular reference detected"),
        ("deep", "ValueError", "nested deeper than 100 levels"),
        ("(x for x in [])", "TypeError", "Object of type generator is not JSON serializable"),
        ("'x' * (50 << 20)", "ResultTooLarge", "the result is larger than 48 MiB"),
    ],
)
def test_json_that_cannot_be(shared, expression, ename, evalue):
    shared.text("cycle = [1]\ncycle.append(cycle)\ndeep = []\nfor _ in range(500): deep = [deep]")
    error = shared.error("%json " + expression)
    assert (error["ename"], error["evalue"]) == (ename, evalue)
    assert shared.text("1+1") == "2"


# %table ----------------------------------------------------------------------------------------------------------------


def test_table_of_dicts(shared):
    headers, data = table(
        shared, "[{'id': 1, 'name': 'a', 'x': 1.5}, {'id': 2, 'name': 'b', 'x': None}]"
    )
    assert headers == [("id", "INT_TYPE"), ("name", "STRING_TYPE"), ("x", "DOUBLE_TYPE")]
    assert data == [[1, "a", 1.5], [2, "b", None]]


def test_table_bundle_is_livys_to_the_letter(shared):
    result = shared.run("%table [{'b': 2, 'a': 'z'}]")
    assert json.dumps(result.bundle) == (
        '{"application/vnd.livy.table.v1+json": {"headers": [{"name": "a", "type": "STRING_TYPE"}, '
        '{"name": "b", "type": "INT_TYPE"}], "data": [["z", 2]]}}'
    )


@pytest.mark.parametrize(
    "expression, headers, data",
    [
        ("[[1,'a'],[3,'b']]", [("0", "INT_TYPE"), ("1", "STRING_TYPE")], [[1, "a"], [3, "b"]]),
        ("((1,),(2,))", [("0", "INT_TYPE")], [[1], [2]]),
        ("5", [("0", "INT_TYPE")], [[5]]),
        ("[1, None, 3]", [("0", "INT_TYPE")], [[1], [None], [3]]),
        ("None", [("0", "NULL_TYPE")], [[None]]),
        ("'text'", [("0", "STRING_TYPE")], [["text"]]),
        ("{'a': 1}", [("a", "INT_TYPE")], [[1]]),
        ("[]", [], []),
        ("[[]]", [], [[]]),
        ("[{}, {'a': 1}]", [("a", "INT_TYPE")], [[None], [1]]),
        ("[[None],[None]]", [("0", "NULL_TYPE")], [[None], [None]]),
        ("[[None],['a']]", [("0", "STRING_TYPE")], [[None], ["a"]]),
        ("[[1,2],None]", [("0", "INT_TYPE"), ("1", "INT_TYPE")], [[1, 2], [None, None]]),
        ("[{'b':1},{'a':2}]", [("a", "INT_TYPE"), ("b", "INT_TYPE")], [[None, 1], [2, None]]),
        ("[[1],[2,3]]", [("0", "INT_TYPE"), ("1", "INT_TYPE")], [[1, None], [2, 3]]),
        ("[[1],[2.5]]", [("0", "DOUBLE_TYPE")], [[1.0], [2.5]]),
        ("[[2**70]]", [("0", "INT_TYPE")], [[2**70]]),
        ("[[True]]", [("0", "BOOLEAN_TYPE")], [[True]]),
        ("[[float('nan')],[1.0]]", [("0", "DOUBLE_TYPE")], [[None], [1.0]]),
        ("[[[1,2]],[[]]]", [("0", "ARRAY_TYPE")], [[[1, 2]], [[]]]),
        ("[[[1,'a',None]]]", [("0", "ARRAY_TYPE")], [[[1, "a", None]]]),
        ("[[{'key':1}]]", [("0", "MAP_TYPE")], [[{"key": 1}]]),
        ("[[{'ab':{'c':[1]}}]]", [("0", "MAP_TYPE")], [[{"ab": {"c": [1]}}]]),
        ("[{1:'x','a':'y'}]", [("1", "STRING_TYPE"), ("a", "STRING_TYPE")], [["x", "y"]]),
        ("[{None:1,(1,2):2}]", [("None", "INT_TYPE"), ("(1, 2)", "INT_TYPE")], [[1, 2]]),
        ("[[dt.date(2020,1,2)]]", [("0", "DATE_TYPE")], [["2020-01-02"]]),
        ("[[dt.datetime(2020,1,2,3,4,5)]]", [("0", "TIMESTAMP_TYPE")], [["2020-01-02 03:04:05"]]),
        ("[[D('1.10')]]", [("0", "DECIMAL_TYPE")], [["1.10"]]),
        ("[[b'x']]", [("0", "STRING_TYPE")], [["b'x'"]]),
        ("[[1j],['s']]", [("0", "STRING_TYPE")], [["1j"], ["s"]]),
        ("[{1, 2}]", [("0", "STRING_TYPE")], [["{1, 2}"]]),
    ],
)
def test_table_of(shared, expression, headers, data):
    assert table(shared, expression, "import datetime as dt\nfrom decimal import Decimal as D") == (
        headers,
        data,
    )


def test_wide_tables_keep_headers_in_step_with_cells(shared):
    headers, data = table(shared, "[[*range(12)], ['s'] and [*range(12)]]")
    assert [name for name, _ in headers] == [str(n) for n in range(12)] and data[0] == list(
        range(12)
    )
    headers, data = table(shared, "[[0]*10 + ['ten', 1.5]]")
    assert headers[9:] == [("9", "INT_TYPE"), ("10", "STRING_TYPE"), ("11", "DOUBLE_TYPE")]


def test_a_table_of_ten_thousand_rows_by_twenty_columns_is_whole(shared):
    headers, data = table(shared, "[[r * 100 + c for c in range(20)] for r in range(10000)]")
    assert headers == [(str(c), "INT_TYPE") for c in range(20)]
    assert data == [[r * 100 + c for c in range(20)] for r in range(10000)]


@pytest.mark.parametrize(
    "expression",
    [
        "[[1],['a']]",
        "[['a'],[1.5]]",
        "[[True],[1]]",
        "[{'a':1},{'a':{}}]",
        "[[[1]],[{}]]",
        "[1,'a']",
    ],
)
def test_table_whose_column_changes_type_is_an_error(shared, expression):
    assert shared.error("%table " + expression) == {
        "ename": "TypeError",
        "evalue": "table rows have different types",
        "traceback": [
            "Traceback (most recent call last):\n",
            "TypeError: table rows have different types\n",
        ],
    }
    assert shared.text("1+1") == "2"


def test_table_with_a_cell_that_contains_itself_is_an_error(shared):
    assert shared.error("c = []; c.append(c)\n%table [[c]]")["ename"] == "ValueError"


# Libraries -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def numpy(shared):
    if shared.run("import numpy as np").outcome:
        pytest.skip("the worker's Python has no numpy")


@pytest.fixture(scope="module")
def pandas(shared, numpy):
    if shared.run("import pandas as pd").outcome:
        pytest.skip("the worker's Python has no pandas")


@pytest.fixture(scope="module")
def pyplot(shared):
    if shared.run("import matplotlib.pyplot as plt").outcome:
        pytest.skip("the worker's Python has no matplotlib")


@pytest.mark.parametrize(
    "expression, value",
    [
        ("np.int64(5)", 5),
        ("np.float32(0.5)", 0.5),
        ("np.float64('nan')", None),
        ("np.bool_(True)", True),
        ("np.str_('s')", "s"),
        ("np.arange(4).reshape(2, 2)", [[0, 1], [2, 3]]),
        ("np.array([1.5, np.nan])", [1.5, None]),
        ("np.array(5)", 5),
        ("np.datetime64('2020-01-02')", "2020-01-02"),
        ("np.datetime64('2020-01-02T03:04:05.000000001')", "2020-01-02T03:04:05"),
        ("np.datetime64('NaT')", None),
        ("np.array(['2020-01-02', 'NaT'], 'M8[ns]')", ["2020-01-02T00:00:00", None]),
        ("np.array([{'a': 1}, None], object)", [{"a": 1}, None]),
        ("{np.int64(1): [np.int8(2)]}", {"1": [2]}),
    ],
)
def test_json_of_numpy(shared, numpy, expression, value):
    assert shared.ok("%json " + expression) == {JSON: value}


@pytest.mark.parametrize(
    "expression, value",
    [
        (
            "pd.DataFrame({'a': [1, 2], 'b': ['x', None]})",
            [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
        ),
        ("pd.Series([1.5, None])", [1.5, None]),
        ("pd.Timestamp('2020-01-02 03:04')", "2020-01-02T03:04:00"),
        ("[pd.NaT, pd.NA]", [None, None]),
        ("pd.Categorical(['a', 'b'])", ["a", "b"]),
        ("pd.Index([1, 2])", [1, 2]),
        ("pd.Period('2020-01')", "2020-01"),
        ("pd.Series(pd.to_datetime(['2020-01-02', None]))", ["2020-01-02T00:00:00", None]),
    ],
)
def test_json_of_pandas(shared, pandas, expression, value):
    assert shared.ok("%json " + expression) == {JSON: value}


def test_table_of_pandas(shared, pandas):
    setup = "df = pd.DataFrame({'n': [1, 2], 'f': [0.5, None], 's': ['a', None], 't': pd.to_datetime(['2020-01-02', None])})"
    headers, data = table(shared, "df", setup)
    assert headers == [
        ("n", "INT_TYPE"),
        ("f", "DOUBLE_TYPE"),
        ("s", "STRING_TYPE"),
        ("t", "TIMESTAMP_TYPE"),
    ]
    assert data == [[1, 0.5, "a", "2020-01-02 00:00:00"], [2, None, None, None]]
    assert table(shared, "df['n']") == ([("n", "INT_TYPE")], [[1], [2]])
    assert table(shared, "pd.DataFrame()") == ([], [])


def test_table_of_numpy(shared, numpy):
    assert table(shared, "np.array([[1, 2], [3, 4]])") == (
        [("0", "INT_TYPE"), ("1", "INT_TYPE")],
        [[1, 2], [3, 4]],
    )
    assert table(shared, "np.array([1.5])") == ([("0", "DOUBLE_TYPE")], [[1.5]])
    assert table(shared, "[[np.int64(1), np.float32(0.5), np.array([1])]]") == (
        [("0", "INT_TYPE"), ("1", "DOUBLE_TYPE"), ("2", "ARRAY_TYPE")],
        [[1, 0.5, [1]]],
    )


def is_png(text):
    import base64

    return base64.b64decode(text).startswith(b"\x89PNG\r\n\x1a\n")


def test_matplot_has_livys_shape(shared, pyplot):
    bundle = shared.ok("plt.plot([1, 2])\nNone\n%matplot plt")
    assert (
        sorted(bundle) == ["image/png", "text/plain"]
        and bundle["text/plain"] == ""
        and is_png(bundle["image/png"])
    )


def test_matplot_of_figures_and_axes(shared, pyplot):
    for expression in ("fig", "ax", "plt"):
        assert is_png(
            shared.ok("fig, ax = plt.subplots()\nline = ax.plot([1, 2])\n%matplot " + expression)[
                "image/png"
            ]
        )
    assert (
        shared.error("%matplot 5")["evalue"]
        == "%matplot needs a figure or matplotlib.pyplot, not 'int'"
    )
    assert shared.text("1+1") == "2"


def test_open_figures_are_shown_without_a_magic_and_only_once(shared, pyplot):
    bundle = shared.ok("plt.figure(); lines = plt.plot([1, 2]); print('drawn')")
    assert bundle["text/plain"] == "drawn" and is_png(bundle["image/png"])
    assert shared.text("1+1") == "2"
    # Livy's clients may ask for it one statement later.
    again = shared.ok("%matplot plt")
    assert len(again["image/png"]) == len(bundle["image/png"])


def test_figures_of_a_failed_statement_do_not_show_up_later(shared, pyplot):
    shared.error("plt.figure(); 1/0")
    assert shared.text("1+1") == "2"


def test_figure_that_cannot_be_drawn_is_an_error(shared, pyplot):
    assert shared.error("plt.figure(); t = plt.title('$\\\\nosuch{$')")["ename"] == "ValueError"
    assert shared.text("1+1") == "2"


def test_matplot_without_matplotlib_is_an_error(worker):
    assert worker.error("%matplot plt")["ename"] == "NameError"
    assert worker.text("1+1") == "2"
