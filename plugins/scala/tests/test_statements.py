"""What Scala code answers, in the shapes that Livy's clients read."""

import itertools
import json

import pytest
from link_host import (
    COMPLETE, DONE, ERROR, EXECUTE, INSPECT, INTERRUPT, OK, OUTPUT, PROGRESS, REPLY, STDERR, STDOUT)

TABLE = "application/vnd.livy.table.v1+json"


def test_a_value_is_echoed_as_livy_does(driver):
    text = driver.text("1+1")
    assert text.startswith("res") and text.endswith(": Int = 2\n")


@pytest.mark.parametrize("code, text", [
    ("val x = 42", "x: Int = 42\n"),
    ("var v1 = 1; lazy val l1 = 2", "v1: Int = 1\nl1: Int = <lazy>\n"),
    ("var v2 = 1\nv2 = 5", "v2: Int = 1\nv2: Int = 5\n"),
    ('val s = "a\\nval b: Int = 3"', "s: String =\na\nval b: Int = 3\n"),
    ("val (p, q) = (1, \"z\")", "p: Int = 1\nq: String = z\n"),
    ("def f(x: Int): Int = x\ndef g[T](x: T): List[T] = List(x)\ndef h = 1",
     "f: (x: Int)Int\ng: [T](x: T)List[T]\nh: Int\n"),
    ("class A1; trait T1; object O1; type I1 = Int; case class C1(i: Int)",
     "defined class A1\ndefined trait T1\ndefined object O1\ndefined type alias I1\n"
     "defined class C1\n"),
    ("import java.io.File", "import java.io.File\n"),
    ("()", ""),
    ("// nothing", ""),
    ("/* a /* nested */ */ // and\n// more", ""),
    ("val a1 = 1\n// done", "a1: Int = 1\n"),
])
def test_definitions_are_echoed_in_the_form_of_scala_212(driver, code, text):
    assert driver.text(code) == text


@pytest.mark.parametrize("code, value", [
    ("Seq(1,2)\n  .map(_ + 1)\n\n  // a comment\n  .sum", "Int = 5"),
    ('if (1 > 2) "yes"\nelse "no"', "String = no"),
    ("try { 1 / 0 }\ncatch { case e: Exception => 7 }\nfinally ()", "Int = 7"),
    ("List(1, 2).map { x =>\n  val y = x + 1\n\n  y * 2\n}", "List[Int] = List(4, 6)"),
    ('"a" +\n1', "String = a1"),
    ("class Q1\n{\n  def w = 1\n}\n(new Q1).w", "Int = 1"),
    ("class C2(v: Int) { def p = C2.z + v }\n// its companion\n"
     "object C2 { def z = 1; def mk = new C2(2) }\nC2.mk.p", "Int = 3"),
    ("sealed trait S2\ncase object A2 extends S2\ncase class B2(i: Int) extends S2\n"
     "(B2(3): S2) match { case A2 => 0; case B2(i) => i }", "Int = 3"),
    ('"""a\nb""".length', "Int = 3"),
    ("val r1 = 1 // ---\nval r2 = 2\nr1 + r2\r\n", "Int = 3"),
])
def test_code_may_be_laid_out_as_in_a_file(driver, code, value):
    assert driver.text(code).splitlines()[-1].endswith(": " + value)


def test_a_case_class_can_be_used_on_executors_by_the_cell_that_defines_it(driver):
    text = driver.text("case class Z1(i: Int)\n"
                       "sc.parallelize(1 to 2).map(Z1(_)).collect\n"
                       "Seq(Z1(1)).toDS.map(z => Z1(z.i + 1)).collect")
    assert "Array[Z1] = Array(Z1(1), Z1(2))\n" in text
    assert text.endswith("Array[Z1] = Array(Z1(2))\n")


def test_printed_text_and_echoes_keep_their_order_and_stderr_follows(driver):
    statement = driver.host.execute(
        1, 'println("one"); System.err.println("two")\nval x = 3\n'
           'System.out.println("é☃😀"); Console.err.println("four")')
    outcome, bundle = driver.host.result(statement)
    assert (outcome, bundle["text/plain"]) == (OK, "one\nx: Int = 3\né☃😀\ntwo\nfour\n")
    assert driver.host.printed(statement, STDOUT) == "one\nx: Int = 3\né☃😀\n"
    assert driver.host.printed(statement, STDERR) == "two\nfour\n"


def test_what_threads_and_tasks_print_is_output(driver):
    assert driver.text('val t = new Thread(() => println("in a thread")); t.start(); t.join()'
                       ).startswith("in a thread\n")
    text = driver.text('sc.parallelize(1 to 2, 2).foreach(i => println("task " + i))')
    assert sorted(text.splitlines()) == ["task 1", "task 2"]


def test_output_arrives_while_the_code_runs(driver):
    statement = driver.host.execute(
        1, 'println("early"); val until = System.nanoTime + 3000000000L\n'
           'while (System.nanoTime < until) Thread.sleep(10)')
    driver.wait_until_running(statement)
    assert not [f for f in driver.host.frames if f.type == DONE and f.statement == statement]
    assert driver.host.result(statement)[0] == OK


def test_big_output_streams_whole_and_text_plain_is_cut_with_a_word(driver):
    statement = driver.host.execute(
        1, 'val line = "é" * 499 + "x\\n"; (1 to 20000).foreach(_ => print(line))')
    outcome, bundle = driver.host.result(statement, 300)
    expected = ("é" * 499 + "x\n") * 20000
    printed = driver.host.printed(statement)
    assert printed.startswith(expected) and len(printed) < len(expected) + 10000
    assert outcome == OK
    text, cut, rest = bundle["text/plain"].partition("\n[the output is cut here, after 4 MiB]\n")
    assert cut and rest == "" and len(text.encode()) <= 4 << 20 and expected.startswith(text)
    sizes = [len(f.payload) for f in driver.host.frames
             if f.statement == statement and f.type == OUTPUT]
    assert max(sizes) <= 64 << 10


def test_a_compile_error_names_line_and_place(driver):
    bundle = driver.error("val s: String = 5")
    assert bundle["ename"] == "Error"
    assert bundle["evalue"].startswith("<console>:")
    assert bundle["evalue"].endswith(": error: type mismatch;")
    assert bundle["traceback"] == [
        " found   : Int(5)\n", " required: String\n", "       val s: String = 5\n",
        "                       ^\n"]


def test_two_errors_in_one_line_are_told_apart(driver):
    bundle = driver.error('val a: Int = "x"; val b: String = 4')
    assert bundle["traceback"][:4] == [
        ' found   : String("x")\n', " required: Int\n",
        '       val a: Int = "x"; val b: String = 4\n', "                    ^\n"]
    assert bundle["traceback"][5:7] == [" found   : Int(4)\n", " required: String\n"]


def test_a_runtime_error_has_class_message_and_frames(driver):
    bundle = driver.error('throw new RuntimeException("boom")')
    assert bundle["evalue"] == "java.lang.RuntimeException: boom"
    assert len(bundle["traceback"]) == 1 and bundle["traceback"][0].startswith("  ... ")
    bundle = driver.error('println("before")\nsys.error("bad")')
    assert bundle["evalue"] == "java.lang.RuntimeException: bad"
    assert bundle["traceback"][0].startswith("  at scala.sys.package$.error(package.scala:")


def test_an_analysis_error_shows_the_plan(driver):
    bundle = driver.error('spark.sql("select nope from range(3)").show()')
    assert "UNRESOLVED_COLUMN" in bundle["evalue"]
    assert bundle["traceback"][0] == "'Project ['nope]\n"


@pytest.mark.parametrize("code", ["val y = (1 +", "sc.", "/* not ended"])
def test_incomplete_code_says_so(driver, code):
    assert driver.error(code) == {
        "ename": "Error", "evalue": "incomplete statement", "traceback": []}


def test_what_came_before_an_error_stays(driver):
    driver.error('val kept = 17\nthrow new Exception("x")')
    assert driver.text("kept").endswith(": Int = 17\n")


def test_no_warnings_about_deprecation_get_into_results(driver):
    assert driver.text('@deprecated("a", "b") def old1 = 1\nold1').endswith(": Int = 1\n")
    assert "warning" not in driver.text("old1")


def test_spark_and_its_imports_are_there(driver):
    text = driver.text('val df = spark.range(5).toDF("n")\n'
                       'df.select(sum($"n")).as[Long].head + sc.parallelize(1 to 3).count')
    assert text.startswith("df: org.apache.spark.sql.DataFrame = [n: bigint]\n")
    assert text.endswith(": Long = 13\n")
    assert driver.text("spark.range(3).show()") == (
        "+---+\n| id|\n+---+\n|  0|\n|  1|\n|  2|\n+---+\n\n")


def test_progress_of_spark_jobs_is_told(driver):
    statement = driver.host.execute(
        1, "sc.parallelize(1 to 8, 8).foreach(_ => Thread.sleep(300))")
    assert driver.host.result(statement)[0] == OK
    told = [float(f.payload) for f in driver.host.frames
            if f.type == PROGRESS and f.statement == statement]
    assert len(told) > 2 and all(0 <= p <= 1 for p in told) and told == sorted(told)


def test_completion_knows_what_the_session_has_defined(driver):
    driver.text("val wonderfulName = \"a\"")
    for request, (code, wanted) in enumerate(
            [("wonderfulNa", "wonderfulName"),
             ('val smile = "😀"; wonderfulName.toUpp', "toUpperCase")], 9000):
        driver.host.send(1, COMPLETE, json.dumps({"code": code, "cursor": len(code)}), request)
        reply = driver.host.wait(lambda f: f.type == REPLY and f.statement == request)
        assert reply.outcome == 0
        assert wanted in json.loads(reply.payload)["candidates"]


def test_completion_does_not_wait_for_a_long_statement(driver):
    statement = driver.host.execute(1, 'println("busy"); Thread.sleep(4000)')
    driver.wait_until_running(statement)
    driver.host.send(1, COMPLETE, json.dumps({"code": "sc.", "cursor": 3}), 9100)
    reply = driver.host.wait(lambda f: f.type == REPLY and f.statement == 9100)
    assert json.loads(reply.payload) == {"candidates": []}
    assert not [f for f in driver.host.frames if f.type == DONE and f.statement == statement]
    driver.host.result(statement)


inspections = itertools.count(9500)


@pytest.fixture
def inspect(driver):
    def ask(code, cursor=None):
        request = next(inspections)
        driver.host.send(1, INSPECT, json.dumps(
            {"code": code, "cursor": len(code) if cursor is None else cursor, "detail": 0}), request)
        reply = driver.host.wait(lambda f: f.type == REPLY and f.statement == request)
        assert reply.outcome == 0
        answer = json.loads(reply.payload)
        assert answer["found"] is bool(answer["data"])
        return answer["data"].get("text/plain")
    return ask


def test_inspection_tells_how_a_name_is_defined(driver, inspect):
    driver.text("val wonders = List(1, 2)")
    driver.text('def area(w: Int, h: Double = 2.0)(implicit s: String): Double = w * h')
    driver.text("case class Field(crop: String, size: Int)\nval field = Field(\"wheat\", 1)\n"
                "object Two { def f(a: Int): Int = a; def f(a: String): String = a }")
    assert inspect("wonders") == "val wonders: List[Int]"
    assert inspect("println(wonders)", 11) == "val wonders: List[Int]"
    assert inspect("wonders.map").startswith("def map[B")
    assert inspect("wonders.map(_ + 1).headOption") == "def headOption: Option[Int]"
    assert inspect("area").startswith("def area(w: Int,")
    assert inspect("area(1, ").startswith("def area(w: Int,")
    assert inspect("field.crop") == "val crop: String"
    assert sorted(inspect("Two.f").split("\n")) == ["def f(a: Int): Int", "def f(a: String): String"]
    assert "case class Field" in inspect("new Field")
    assert inspect('val smile = "😀"; smile') == "val smile: String"
    assert "Dataset" in inspect("spark.range") and "def range(" in inspect("spark.range")
    assert "val sc: org.apache.spark.SparkContext" in inspect("sc")
    assert driver.text("wonders.sum").endswith(": Int = 3\n"), "the session is as it was"


def test_inspection_of_what_is_nothing_finds_nothing(inspect):
    for code in ("", "noSuchName", "wonders.noSuchName", "1", "1 + ", "(", "}", '"text"'):
        assert inspect(code) is None, code
    assert inspect("noSuchName", 400) is None


def test_inspection_is_answered_at_once_while_a_statement_runs(driver, inspect):
    statement = driver.host.execute(1, 'println("busy"); Thread.sleep(100000)')
    driver.wait_until_running(statement)
    assert inspect("wonders") is None
    assert not [f for f in driver.host.frames if f.type == DONE and f.statement == statement]
    driver.host.send(1, INTERRUPT, statement=statement)
    driver.host.result(statement)


def test_an_execute_that_comes_again_is_not_run_again(driver):
    driver.text("var runs = 0")
    statement = driver.host.execute(1, "runs += 1")
    driver.host.result(statement)
    driver.host.send(1, EXECUTE, "runs += 1", statement)
    assert driver.text("runs").endswith(": Int = 1\n")


@pytest.mark.parametrize("code, value", [
    ('val mm = Map("a" -> 1)\n%json mm', {"a": 1}),
    ('%json Seq(("ak", "Alaska"))', [{"_1": "ak", "_2": "Alaska"}]),
    ("val last = 1\n%json List(1.5, 2).map(_ * 2)", [3, 4]),
    ("case class P2(name: String, age: Option[Int])\n"
     '%json Seq(P2("x", Some(1)), P2("y", None))',
     [{"name": "x", "age": 1}, {"name": "y", "age": None}]),
    ("%json sc.parallelize(1 to 100)", list(range(1, 11))),
])
def test_json_magic_gives_the_value_of_an_expression(driver, code, value):
    assert driver.run(code) == (OK, {"application/json": value})


def test_table_magic_has_typed_headers_and_cells_in_step(driver):
    outcome, bundle = driver.run('%table Seq((1, "a", null), (2, null, 3.5))')
    assert bundle == {TABLE: {
        "headers": [{"type": "BIGINT_TYPE", "name": "_1"}, {"type": "STRING_TYPE", "name": "_2"},
                    {"type": "DOUBLE_TYPE", "name": "_3"}],
        "data": [[1, "a", None], [2, None, 3.5]]}}
    outcome, bundle = driver.run('%table Seq(Map("b" -> 1), Map("a" -> 2))')
    assert [h["name"] for h in bundle[TABLE]["headers"]] == ["a", "b"]
    assert bundle[TABLE]["data"] == [[None, 1], [2, None]]
    outcome, bundle = driver.run("%table Seq((1 to 12).toList)")
    assert [h["name"] for h in bundle[TABLE]["headers"]] == [str(i) for i in range(12)]
    assert bundle[TABLE]["data"] == [list(range(1, 13))]


TABLES = [
    ("Seq[Any](1, null, 2)", ["0 BIGINT"], [[1], [None], [2]]),
    ("Seq[Any](1, 2.5, None)", ["0 DOUBLE"], [[1.0], [2.5], [None]]),
    ("Seq(1.0, Double.NaN)", ["0 DOUBLE"], [[1.0], [None]]),
    ("Seq(Seq(), Seq(1), Seq(2, 3))", ["0 BIGINT", "1 BIGINT"], [[None, None], [1, None], [2, 3]]),
    ("Seq()", [], []),
    ("Seq[Any](null)", ["0 NULL"], [[None]]),
    ("5", ["0 BIGINT"], [[5]]),
    ('Map("b" -> 1, "a" -> 2)', ["a BIGINT", "b BIGINT"], [[2, 1]]),
    ("Seq((1 to 12).map(i => i -> i * 10).toMap)", [f"{i} BIGINT" for i in range(1, 13)], [[i * 10 for i in range(1, 13)]]),
    ("Array(Array(1, 2), Array(3))", ["0 BIGINT", "1 BIGINT"], [[1, 2], [3, None]]),
    ("Seq((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11))", [f"_{i} BIGINT" for i in range(1, 12)], [list(range(1, 12))]),
    ("sc.parallelize(1 to 100, 2)", ["0 BIGINT"], [[i] for i in range(1, 11)]),
    ("sc.parallelize(Seq((\"z\", 1)))", ["_1 STRING", "_2 BIGINT"], [["z", 1]]),
    ('spark.sql("select 2 as z, \'x\' as a, 1.5D as z, cast(null as date) as d, array(1) as l, binary(\'ab\') as b")',
     ["z BIGINT", "a STRING", "z DOUBLE", "d DATE", "l ARRAY", "b STRING"], [[2, "x", 1.5, None, [1], "YWI="]]),
    ("spark.range(0)", ["id BIGINT"], []),
    ("spark.range(2).as[Long].map(i => (i, i + 1))", ["_1 BIGINT", "_2 BIGINT"], [[0, 1], [1, 2]]),
    ('spark.sql("select 1 as x, \'y\' as y").collect', ["x BIGINT", "y STRING"], [[1, "y"]]),
    ("Some(Seq(1))", ["0 BIGINT"], [[1]]),
]


@pytest.mark.parametrize("value, headers, data", TABLES, ids=lambda v: v if isinstance(v, str) else "")
def test_table_of(driver, value, headers, data):
    outcome, bundle = driver.run("%table " + value)
    assert outcome == OK, bundle
    assert [h["name"] + " " + h["type"].replace("_TYPE", "") for h in bundle[TABLE]["headers"]] == headers
    assert bundle[TABLE]["data"] == data and "truncated" not in bundle[TABLE]


def test_big_tables_are_whole_and_a_datasets_cut_says_so(driver):
    outcome, bundle = driver.run("%table Seq.tabulate(10000, 20)((r, c) => r * 100 + c)")
    assert [h["name"] for h in bundle[TABLE]["headers"]] == [str(c) for c in range(20)]
    assert bundle[TABLE]["data"] == [[r * 100 + c for c in range(20)] for r in range(10000)]
    outcome, bundle = driver.run("%table spark.range(15000)")
    assert len(bundle[TABLE]["data"]) == 10000 and bundle[TABLE]["truncated"] is True


def test_a_block_of_a_magic_is_the_rest_of_the_cell(driver):
    assert driver.run("val blockOf = 20\n%%json\nSeq(blockOf,\n  1)\n  .sum\n") == (OK, {"application/json": 21})
    assert driver.run("%%json 1 +\n2") == (OK, {"application/json": 3})


def test_json_has_no_nan(driver):
    assert driver.run("%json Seq(Double.NaN, Float.NegativeInfinity, 1.5)") == (OK, {"application/json": [None, None, 1.5]})


@pytest.mark.parametrize("query", ["%sql select id, 'é' as t from range(2)", "%%sql\n-- a comment; and more\nselect id,\n  'é' as t\nfrom range(2);"])
def test_sql_gives_the_bundle_of_the_sql_kind(driver, query):
    outcome, bundle = driver.run('println("before")\n' + query)
    assert outcome == OK and bundle["text/plain"] == "before\n"
    assert bundle["application/json"]["data"] == [[0, "é"], [1, "é"]]
    assert [f["name"] for f in bundle["application/json"]["schema"]["fields"]] == ["id", "t"]
    assert bundle["hearth"]["metadata"]["truncated"] is False and "text/plain" in bundle["hearth"]["data"]


def test_sql_that_fails_is_an_error_and_leaves_the_session_as_it_was(driver):
    driver.text("val beforeSql = 5")
    bundle = driver.error("%sql select nope from range(2)")
    assert bundle["ename"] == "Error" and "UNRESOLVED_COLUMN" in bundle["evalue"]
    assert "statement 2 of 2" in driver.error("%%sql\nselect 1;\nselect nope")["evalue"]
    assert driver.error("%sql")["evalue"] == "the magic wants a query"
    assert driver.text("beforeSql").endswith("Int = 5\n")


@pytest.mark.parametrize("code, name, value", [
    ("%json nosuch", "NameError", "Value nosuch does not exist"),
    ("%table Seq[Any](1, \"x\")", "TypeError", "table rows have different types"),
    ("%json", "ValueError", "the magic wants a value"),
    ("%", "UnknownMagic", "magic command not specified"),
])
def test_magic_errors_have_livys_names(driver, code, name, value):
    assert driver.run(code) == (ERROR, {"ename": name, "evalue": value, "traceback": []})


def test_an_unknown_magic_is_told_the_known_ones(driver):
    assert driver.run("%foo x") == (ERROR, {
        "ename": "UnknownMagic", "evalue": "unknown magic command 'foo'",
        "traceback": ["the magics of Scala are %json, %sql and %table\n"]})
    plot = driver.error("%matplot plt")
    assert plot["ename"] == "UnknownMagic" and "no standard plot library" in plot["traceback"][0]
    assert "pyspark" in plot["traceback"][0] and "%table" in plot["traceback"][0]


def test_a_magic_keeps_what_was_printed_and_drops_echoes(driver):
    assert driver.run('val hidden = 1\nprintln("seen")\n%json hidden') == (
        OK, {"application/json": 1, "text/plain": "seen\n"})
