"""What people run every day, in Scala and Python, alone and together."""

import threading

import pytest

SHAKESPEARE = """\
To be, or not to be, that is the question:
Whether 'tis nobler in the mind to suffer
The slings and arrows of outrageous fortune,
Or to take arms against a sea of troubles
And by opposing end them. To die: to sleep;
No more; and by a sleep to say we end
"""


def test_scala_answers_as_livy_does(server, scala):
    assert server.text(scala, "1 + 1").endswith(": Int = 2\n")
    assert server.text(scala, "val answer = 40 + 2") == "answer: Int = 42\n"
    assert server.text(scala, 'println("hello")\nanswer + 1').startswith("hello\nres")
    assert server.text(scala, "// nothing") == ""


def test_first_scala_result_is_res0(server):
    session = server.session(kind="spark", conf={"spark.ui.enabled": "false"})
    try:
        assert server.text(session, "1 + 1") == "res0: Int = 2\n"
        assert server.text(session, "1 + 2") == "res1: Int = 3\n"
    finally:
        assert server.delete(f"/sessions/{session}").status == 200


def test_python_answers_as_livy_does(server, python):
    assert server.text(python, "1 + 1") == "2"
    assert server.text(python, "1\n2\n3") == "3"
    assert server.text(python, "print('slept')\n'value'") == "slept\n'value'"
    assert server.text(python, "None") == ""


def test_word_count_in_scala(server, scala, tmp_path):
    text = tmp_path / "hamlet.txt"
    text.write_text(SHAKESPEARE)
    code = f"""val counts = sc.textFile("file:{text}")
  .flatMap(_.toLowerCase.split("[^a-z']+"))
  .filter(_.nonEmpty)
  .map((_, 1))
  .reduceByKey(_ + _)
counts.collect.sortBy(-_._2).take(1).foreach(println)"""
    assert "(to,7)" in server.text(scala, code)


def test_word_count_in_python(server, python, tmp_path):
    text = tmp_path / "hamlet.txt"
    text.write_text(SHAKESPEARE)
    code = f"""import re
from operator import add
counts = (sc.textFile("file:{text}")
    .flatMap(lambda line: re.findall("[a-z']+", line.lower()))
    .map(lambda word: (word, 1))
    .reduceByKey(add))
max(counts.collect(), key=lambda pair: pair[1])"""
    assert server.text(python, code) == "('to', 7)"


def test_a_view_made_in_scala_is_read_in_python(server, scala):
    server.output(scala, 'spark.range(5).selectExpr("id", "id * id AS square").createOrReplaceTempView("squares")')
    assert server.text(scala, "spark.sql('select sum(square) from squares').first()[0]", "pyspark") == "30"


def test_a_view_made_in_scala_is_read_in_sql_and_one_of_sql_in_all(server, scala):
    server.output(scala, 'spark.range(5).selectExpr("id", "id * id AS square").createOrReplaceTempView("squares")')
    data = server.output(scala, "select sum(square) as total from squares", "sql")
    assert data == {"application/json": {
        "schema": {"type": "struct", "fields": [
            {"name": "total", "type": "long", "nullable": True, "metadata": {}}]},
        "data": [[30]]}}, "Livy's face has no text here"
    server.output(scala, "create or replace temporary view small as select * from squares where id < 3", "sql")
    assert server.text(scala, 'spark.table("small").count').endswith(": Long = 3\n")
    assert server.text(scala, "spark.table('small').count()", "pyspark") == "3"


def test_sql_on_v1_has_text_and_says_what_was_cut(server, scala):
    made = server.post(f"/v1/sessions/{scala}/statements?wait=60s",
                       {"code": "select 1; select id from range(10)", "kind": "sql", "options": {"maxRows": 2}})
    output = made.json["output"]
    assert output["data"]["application/json"]["data"] == [[0], [1]]
    assert output["data"]["text/plain"] == "+--+\n|id|\n+--+\n|0 |\n|1 |\n+--+\n(2 rows; there are more)"
    assert output["metadata"] == {"rows": 2, "truncated": True, "maxRows": 2}
    page = server.get(f"/v1/sessions/{scala}/statements/{made.json['id']}/rows?from=1&size=5").json
    assert (page["rows"], page["total"], page["metadata"]["truncated"]) == ([[1]], 2, True)
    assert page["columns"]["fields"][0]["name"] == "id"
    found = server.get(f"/sessions/{scala}/statements/{made.json['id']}").json["output"]
    assert set(found) == {"status", "execution_count", "data"} and set(found["data"]) == {"application/json"}


def test_sql_session_starts_alone_and_keeps_its_limit(server):
    session = server.session(kind="sql", conf={"spark.ui.enabled": "false", "livy.rsc.sql.num-rows": "3"})
    try:
        assert len(server.output(session, "select id from range(10)")["application/json"]["data"]) == 3
        output = server.run(session, "select * from nowhere")["output"]
        assert output["status"] == "error" and output["ename"] == "Error" and "nowhere" in output["evalue"]
        answer = server.post(f"/sessions/{session}/completion", {"code": "sel", "kind": "sql", "cursor": 3})
        assert "select" in answer.json["candidates"]
    finally:
        assert server.delete(f"/sessions/{session}").status == 200


def test_r_without_sparkr_is_refused_with_the_way_out(server, python, spark_home):
    if (spark_home / "R" / "lib" / "SparkR").exists():
        pytest.skip("this Spark has SparkR")
    output = server.run(python, "1 + 1", "sparkr")["output"]
    assert output["status"] == "error" and output["evalue"].startswith("Fail to start interpreter sparkr")
    assert f"{spark_home}/R/lib/SparkR does not exist" in output["evalue"]
    assert server.text(python, "1 + 1") == "2", "the session goes on"


@pytest.fixture(scope="module")
def mixed(server):
    """A session of all languages, with R also where Spark has no SparkR."""
    return server.session(kind="shared", conf={"spark.ui.enabled": "false", "spark.hearth.r.plain": "true"})


def test_r_answers_as_livy_does(server, mixed):
    assert server.text(mixed, "1\n2\n3", "sparkr") == "[1] 3"
    assert server.text(mixed, "x <- 40", "sparkR") == ""
    assert server.text(mixed, "cat('äöü', x + 2, '\\n')", "sparkr") == "äöü 42"
    output = server.run(mixed, "nothing_there", "sparkr")["output"]
    assert output["ename"] == "Error" and "object 'nothing_there' not found" in output["evalue"]
    assert server.output(mixed, "%json list(a = x)", "sparkr") == {"application/json": {"a": 40}}


def test_r_plots_are_images_the_last_as_the_result(server, mixed):
    data = server.output(mixed, "plot(1:3); plot(3:1); 'drawn'", "sparkr")
    assert data["image/png"].startswith("iVBOR") and data["text/plain"] == '[1] "drawn"'
    last = server.get(f"/v1/sessions/{mixed}/statements?order=desc&size=1").json["statements"][0]
    assert [list(shown) for shown in last["displays"]] == [["image/png"]]
    assert last["displays"][0]["image/png"] != data["image/png"]


def test_sparkr_reads_what_the_other_languages_made(server, mixed, spark_home):
    if not (spark_home / "R" / "lib" / "SparkR").exists():
        pytest.skip("no SparkR")
    server.output(mixed, 'spark.range(5).selectExpr("id * id AS square").createOrReplaceTempView("squares")', "spark")
    assert server.text(mixed, "collect(sql('select sum(square) as s from squares'))$s", "sparkr") == "[1] 30"


def test_r_is_cancelled_and_keeps_its_workspace(server, mixed):
    server.output(mixed, "kept <- 7", "sparkr")
    made = server.post(f"/sessions/{mixed}/statements", {"code": "repeat {}", "kind": "sparkr"}).json
    server.until("it runs", lambda: server.get(
        f"/sessions/{mixed}/statements/{made['id']}").json["state"] == "running")
    server.post(f"/sessions/{mixed}/statements/{made['id']}/cancel")
    assert server.finish(mixed, made["id"])["state"] == "cancelled"
    assert server.text(mixed, "kept", "sparkr") == "[1] 7"


def test_r_that_dies_is_restarted_and_the_others_go_on(server, mixed):
    server.output(mixed, "val remembered = 5", "spark")
    output = server.run(mixed, "tools::pskill(Sys.getpid(), 9); Sys.sleep(60)", "sparkr")["output"]
    assert output["status"] == "error" and "the worker is gone" in output["evalue"], output
    assert server.text(mixed, "1 + 1", "sparkr") == "[1] 2"
    assert "Int = 5" in server.text(mixed, "remembered", "spark")
    assert any("sparkr interpreter failed and starts again" in line
               for line in server.get(f"/sessions/{mixed}/log?size=1000").json["log"])


def test_shared_session_takes_every_language_by_statement(server, mixed):
    refused = server.post(f"/sessions/{mixed}/statements", {"code": "1"})
    assert refused.status == 400 and b"kind" in refused.body
    server.output(mixed, 'Seq(("ak", 1)).toDF("state", "n").createOrReplaceTempView("states")', "spark")
    assert server.text(mixed, "spark.table('states').first().state", "pyspark") == "'ak'"
    assert server.output(mixed, "select n from states", "sql")["application/json"]["data"] == [[1]]


def test_a_view_made_in_python_is_read_in_scala(server, python):
    server.output(python, "spark.range(4).createOrReplaceTempView('four')")
    assert server.text(python, 'spark.table("four").count', "spark").endswith(": Long = 4\n")


def test_both_languages_share_one_spark_context(server, scala):
    in_scala = server.text(scala, "sc.applicationId").split("= ")[1].strip()
    assert server.text(scala, "print(sc.applicationId)", "pyspark") == in_scala
    assert server.get(f"/sessions/{scala}").json["appId"] == in_scala


def test_two_clients_share_one_session_and_its_variables(server, python):
    server.output(python, "shared = sc.parallelize(range(100)).cache()")
    answers = []
    other = threading.Thread(target=lambda: answers.append(server.text(python, "shared.sum()")))
    other.start()
    other.join(60)
    assert answers == ["4950"]


def test_case_classes_of_a_cell_work_in_the_same_cell(server, scala):
    code = 'case class Point(x: Int, y: Int)\nval points = Seq(Point(1, 2), Point(3, 4)).toDS()\nprintln(points.map(p => p.x + p.y).collect.sum)'
    assert "10" in server.text(scala, code)


def test_python_functions_and_classes_of_the_session_run_on_executors(server, python):
    code = "class Doubler:\n    def __call__(self, x):\n        return 2 * x\nsc.parallelize([1, 2, 3]).map(Doubler()).collect()"
    assert server.text(python, code) == "[2, 4, 6]"


def test_errors_carry_class_message_and_traceback(server, scala, python):
    output = server.run(python, "1/0")["output"]
    assert output["status"] == "error"
    assert output["ename"] == "ZeroDivisionError" and output["evalue"] == "division by zero"
    assert output["traceback"] == ["Traceback (most recent call last):\n", "ZeroDivisionError: division by zero\n"]
    output = server.run(scala, 'throw new RuntimeException("boom")')["output"]
    assert output["status"] == "error" and output["ename"] == "Error"
    assert output["evalue"] == "java.lang.RuntimeException: boom" and "elided" in output["traceback"][-1]
    output = server.run(scala, "val s: String = 5")["output"]
    assert output["status"] == "error" and "type mismatch" in output["evalue"]
    output = server.run(scala, "val y = (1 +")["output"]
    assert (output["ename"], output["evalue"]) == ("Error", "incomplete statement")
    assert server.text(scala, "3 * 3").endswith("Int = 9\n"), "the session goes on"


def test_progress_of_a_spark_job_rises_while_it_runs(server, python):
    code = "import time\nsc.parallelize(range(8), 8).map(lambda x: time.sleep(0.7) or x).sum()"
    made = server.post(f"/sessions/{python}/statements", {"code": code}).json
    seen = set()

    def finished():
        found = server.get(f"/sessions/{python}/statements/{made['id']}").json
        seen.add(found["progress"])
        return found["state"] == "available" and found
    final = server.until("the job ends", finished, 60)
    assert final["progress"] == 1.0 and final["output"]["data"]["text/plain"] == "28"
    assert [p for p in seen if 0 < p < 1], seen


def test_session_tells_spark_version_and_application(server, scala, spark_home):
    view = server.get(f"/v1/sessions/{scala}").json
    assert view["appId"].startswith("local-")
    assert spark_home.parent.name.startswith(view["sparkVersion"]) or view["sparkVersion"] in str(spark_home)


def test_completion_knows_the_names_of_the_session(server, scala, python):
    server.output(python, "zebra_count = 1")
    answer = server.post(f"/sessions/{python}/completion", {"code": "zebra", "kind": "pyspark", "cursor": 5})
    assert "zebra_count" in answer.json["candidates"]
    answer = server.post(f"/sessions/{scala}/completion", {"code": "prin", "kind": "spark", "cursor": 4})
    assert "println" in answer.json["candidates"]


def test_inspection_tells_what_a_name_is_in_every_language_also_while_another_runs(server, scala):
    server.output(scala, "val harvest = List(1, 2)", "spark")
    server.output(scala, "def sow(seeds: int, row=1):\n    'Puts seeds into a row.'", "pyspark")
    server.output(scala, "create or replace temporary view beds as select 1 as bed, 'x' as crop", "sql")

    def inspect(kind, code, detail=0):
        found = server.post(f"/v1/sessions/{scala}/inspection",
                            {"code": code, "kind": kind, "cursor": len(code), "detail": detail}, timeout=60).json
        return found["data"]["text/plain"] if found["found"] else None

    assert server.until("the compiler is free", lambda: inspect("spark", "harvest.map"), 60).startswith("def map[B")
    running = server.post(f"/sessions/{scala}/statements", {"code": "Thread.sleep(100000)", "kind": "spark"}).json["id"]
    server.until("it runs", lambda: server.get(f"/sessions/{scala}/statements/{running}").json["state"] == "running")
    assert inspect("pyspark", "sow") == "Signature: sow(seeds: int, row=1)\nType: function\nDocstring:\nPuts seeds into a row."
    assert "def sow(" in inspect("pyspark", "sow", 1)
    assert inspect("sql", "select * from beds").splitlines()[1:] == ["  bed INT NOT NULL", "  crop STRING NOT NULL"]
    assert inspect("sql", "select upper").startswith("Function: upper")
    assert inspect("spark", "harvest") is None
    assert inspect("pyspark", "no_such_name") is None
    server.post(f"/sessions/{scala}/statements/{running}/cancel")
    assert server.finish(scala, running)["state"] == "cancelled"
