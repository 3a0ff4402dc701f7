"""Magics as clients see them: Livy's shapes to the letter, and the same %sql in every language."""

import pytest

TABLE = "application/vnd.livy.table.v1+json"
JSON = "application/json"


def headers(*columns):
    return [{"type": kind + "_TYPE", "name": name} for name, kind in columns]


PYTHON = {
    "1+2": ("1 + 2", {"text/plain": "3"}),
    "statements": ("x = 1\ny = 2\nx + y", {"text/plain": "3"}),
    "last of a block": ("1\n\n2\n\n3", {"text/plain": "3"}),
    "outputs": ("print(1)\nprint(2)", {"text/plain": "1\n2"}),
    "class": ("class Counter:\n    def __init__(self):\n        self.n = 0\n    def add(self):\n        self.n += 1\n        return self.n\n\nCounter().add()",
              {"text/plain": "1"}),
    "json": ("x = [[1,'a'],[3,'b']]\n%json x", {JSON: [[1, "a"], [3, "b"]]}),
    "table": ("x = [[1,'a'],[3,'b']]\n%table x",
              {TABLE: {"headers": headers(("0", "INT"), ("1", "STRING")), "data": [[1, "a"], [3, "b"]]}}),
    "table with a None": ("x = [{'a':'1', 'b':None}, {'a':'2', 'b':2}]\n%table x",
                          {TABLE: {"headers": headers(("a", "STRING"), ("b", "INT")), "data": [["1", None], ["2", 2]]}}),
    "table with a None row": ("x = [{'a': None, 'b': None}]\n%table x",
                              {TABLE: {"headers": headers(("a", "NULL"), ("b", "NULL")), "data": [[None, None]]}}),
    "magic inside": ("x = [[1,'a'],[3,'b']]\n%table x\n1 + 2", {"text/plain": "3"}),
    "an expression": ("states = {'ak': 'Alaska'}\n%json states.get('ak')", {JSON: "Alaska"}),
}
SCALA = {
    "block": ("val a1 = 1\nval b1 = 2\na1 + b1", None),
    "json": ('val m = Map("x" -> List(1, 2))\n%json m', {JSON: {"x": [1, 2]}}),
    "table": ('val t = List(List(1, "a"), List(3, "b"))\n%table t',
              {TABLE: {"headers": headers(("0", "BIGINT"), ("1", "STRING")), "data": [[1, "a"], [3, "b"]]}}),
    "table of tuples": ('%table sc.parallelize(Seq((1, "a"), (2, "b")))',
                        {TABLE: {"headers": headers(("_1", "BIGINT"), ("_2", "STRING")), "data": [[1, "a"], [2, "b"]]}}),
    "an expression": ('val states = Map("ak" -> "Alaska")\n%json states.get("ak")', {JSON: "Alaska"}),
}


@pytest.mark.parametrize("name", PYTHON)
def test_python_has_livys_shapes(server, scala, name):
    code, data = PYTHON[name]
    assert server.output(scala, code, "pyspark") == data


@pytest.mark.parametrize("name", SCALA)
def test_scala_has_livys_shapes(server, scala, name):
    code, data = SCALA[name]
    found = server.output(scala, code)
    if data is None:
        lines = found["text/plain"].splitlines()
        assert lines[:2] == ["a1: Int = 1", "b1: Int = 2"] and lines[2].endswith(": Int = 3")
    else:
        assert found == data


@pytest.mark.parametrize("kind, code, ename, evalue", [
    ("pyspark", "%foo", "UnknownMagic", "unknown magic command 'foo'"),
    ("pyspark", "%", "UnknownMagic", "magic command not specified"),
    ("pyspark", "x = [[1], ['a']]\n%table x", "TypeError", "table rows have different types"),
    ("spark", "%foo", "UnknownMagic", "unknown magic command 'foo'"),
    ("spark", "%json nosuch", "NameError", "Value nosuch does not exist"),
    ("spark", '%table Seq[Any](1, "a")', "TypeError", "table rows have different types"),
])
def test_magic_errors_are_errors_and_leave_the_session_as_it_was(server, scala, kind, code, ename, evalue):
    server.output(scala, "kept = 1" if kind == "pyspark" else "val kept = 1", kind)
    output = server.run(scala, code, kind)["output"]
    assert (output["status"], output["ename"], output["evalue"]) == ("error", ename, evalue)
    assert "1" in server.text(scala, "kept", kind)
    assert server.get(f"/sessions/{scala}/state").json["state"] == "idle"


QUERY = "select id, id * 1.10 as d, named_struct('a', date'2020-01-02') as s, cast(null as string) as n from range(3)"


def test_sql_in_python_and_scala_is_the_sql_kinds(server, scala):
    expected = server.output(scala, QUERY, "sql")
    assert [row[0] for row in expected[JSON]["data"]] == [0, 1, 2]
    for kind in ("pyspark", "spark"):
        for magic in ("%sql " + QUERY, "%%sql\n" + QUERY.replace(", ", ",\n")):
            made = server.run(scala, magic, kind)
            assert made["output"]["data"] == expected, kind
            view = server.get(f"/v1/sessions/{scala}/statements/{made['id']}").json
            assert "+" in view["output"]["data"]["text/plain"] and view["output"]["metadata"]["rows"] == 3


def test_sql_beside_other_code_of_a_cell(server, scala):
    code = "spark.range(2).createOrReplaceTempView('two')\nprint('printed')\n%sql select * from two"
    made = server.run(scala, code, "pyspark")
    assert made["output"]["data"][JSON]["data"] == [[0], [1]] and made["output"]["data"]["text/plain"] == "printed"
    view = server.get(f"/v1/sessions/{scala}/statements/{made['id']}").json
    assert view["output"]["data"]["text/plain"] == "printed"
    output = server.run(scala, "%sql select nope from two", "pyspark")["output"]
    assert output["ename"] == "AnalysisException" and "nope" in output["evalue"]
    assert server.output(scala, "%sql select * from two", "spark")[JSON]["data"] == [[0], [1]]


def test_cancel_stops_a_query_of_a_magic(server, scala):
    slow = "%sql select count(*) from range(0, 100000000000000, 1, 2) where id % 7 = sqrt(id)"
    for kind in ("pyspark", "spark") * 3:
        # Cancelled before it has a job, which must not come later and go on for ever.
        made = server.post(f"/sessions/{scala}/statements", {"code": slow, "kind": kind}).json["id"]
        path = f"/sessions/{scala}/statements/{made}"
        server.until("it runs", lambda: server.get(path).json["state"] == "running", 60)
        server.post(path + "/cancel")
        assert server.finish(scala, made, 60)["state"] == "cancelled"
    assert server.text(scala, "1 + 1", "pyspark") == "2"
    assert server.text(scala, "sc.parallelize(1 to 3, 2).count", "spark").endswith("Long = 3\n"), "no task holds a slot"


def test_plugins_say_which_magics_they_know(server):
    magics = {plugin["id"]: plugin["magics"] for plugin in server.get("/v1/plugins").json["plugins"]}
    assert sorted(magics["pyspark"]) == ["json", "matplot", "sql", "table"]
    assert sorted(magics["scala"]) == ["json", "sql", "table"]
