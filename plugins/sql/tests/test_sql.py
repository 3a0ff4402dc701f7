"""SQL in the driver: every type as it is, several statements, errors, limits, cancel, completion."""

import json

import link_host
import pytest
from sql_channel import Sql


def test_result_has_livys_shape(sql):
    bundle = sql.bundle("select 1 as a, 'x' as b")
    assert bundle["application/json"] == {
        "schema": {"type": "struct", "fields": [
            {"name": "a", "type": "integer", "nullable": False, "metadata": {}},
            {"name": "b", "type": "string", "nullable": False, "metadata": {}}]},
        "data": [[1, "x"]]}
    assert set(bundle) == {"application/json", "hearth"}, "Livy has no text/plain here"


def test_table_of_text_and_counts_are_for_v1_only(sql):
    hearth = sql.bundle("select * from values (1, 'é漢'), (20, null) as t(id, name)")["hearth"]
    assert hearth["data"]["text/plain"] == (
        "+--+----+\n|id|name|\n+--+----+\n|1 |é漢 |\n|20|NULL|\n+--+----+\n(2 rows)")
    assert hearth["metadata"] == {"rows": 2, "truncated": False, "maxRows": 1000, "total": 2}


@pytest.mark.parametrize("expression, value", [
    ("cast(null as int)", None),
    ("true", True),
    ("cast(7 as tinyint)", 7),
    ("9223372036854775807L", 9223372036854775807),
    ("-9007199254740993L", -9007199254740993),
    ("cast(0.1 as float)", 0.1),
    ("cast(1e300 as double)", 1e300),
    ("cast('NaN' as double)", "NaN"),
    ("cast('Infinity' as double)", "Infinity"),
    ("cast('-Infinity' as float)", "-Infinity"),
    ("'quote \" backslash \\\\ line \\n snowman \u2603'", "quote \" backslash \\ line \n snowman \u2603"),
    ("X'00FF10'", "AP8Q"),
    ("date'0001-01-01'", "0001-01-01"),
    ("date'2024-02-29'", "2024-02-29"),
    ("timestamp'2024-03-31 12:00:00.123456 UTC'", "2024-03-31T14:00:00.123456+02:00"),
    ("timestamp'1969-12-31 23:59:59.999999 UTC'", "1970-01-01T00:59:59.999999+01:00"),
    ("timestamp_ntz'2024-03-31 02:30:00'", "2024-03-31T02:30:00"),
    ("timestamp_ntz'1500-01-01 00:00:00.000001'", "1500-01-01T00:00:00.000001"),
    ("interval '1 02:03:04' day to second", "INTERVAL '1 02:03:04' DAY TO SECOND"),
    ("interval '1-2' year to month", "INTERVAL '1-2' YEAR TO MONTH"),
    ("named_struct('a', 1, 'b', array(date'2024-01-01', null))", {"a": 1, "b": ["2024-01-01", None]}),
    ("map('k', named_struct('x', cast('NaN' as double)))", {"k": {"x": "NaN"}}),
    ("map(1, 'one', 2, null)", {"1": "one", "2": None}),
    ("map(date'2024-01-01', 1)", {"2024-01-01": 1}),
    ("array(array(1, 2), array())", [[1, 2], []]),
])
def test_every_type_is_faithful(sql, expression, value):
    sql.data("set spark.sql.session.timeZone=Europe/Berlin")
    assert sql.data("select %s as v" % expression) == [[value]]


def test_decimals_are_exact_numbers(sql):
    raw = sql.raw("select 12345678901234567890.123456789012345678BD, "
                  "cast(1.10 as decimal(10, 2)), cast(0 as decimal(38, 18)), 1E-10BD")
    assert raw.endswith('"data":[[12345678901234567890.123456789012345678,1.10,'
                        '0.000000000000000000,0.0000000001]]}}'), raw


def test_variant_is_its_own_json(sql):
    if sql.driver.info()["sparkVersion"] < "4":
        assert "parse_json" in sql.error("select parse_json('1')")["evalue"]
        return
    assert sql.data("""select parse_json('{"a":[1,null,"x"]}')""") == [[{"a": [1, None, "x"]}]]


def test_commands_and_empty_results_have_data_too(sql):
    assert sql.data("create or replace temporary view nothing as select 1 as a where false") == []
    bundle = sql.bundle("select * from nothing")
    assert bundle["application/json"]["data"] == []
    assert [f["name"] for f in bundle["application/json"]["schema"]["fields"]] == ["a"]
    assert sql.data("set spark.hearth.test=5") == [["spark.hearth.test", "5"]]


def test_views_of_scala_are_seen_and_seen_by_scala(sql):
    sql.driver.text('case class Pet(name: String, age: Int)\n'
                    'Seq(Pet("Rex", 3), Pet("Tom", 5)).toDF().createOrReplaceTempView("pets")')
    assert sql.data("select name from pets where age > 4") == [["Tom"]]
    sql.driver.text('spark.udf.register("twice", (x: Int) => 2 * x)')
    assert sql.data("select twice(age) from pets order by 1") == [[6], [10]]
    sql.data("create or replace temporary view seven as select 7 as n")
    assert "7" in sql.driver.text('spark.table("seven").first')


def test_many_rows_are_cut_and_say_so(sql):
    bundle = sql.bundle("select id from range(5000)")
    assert len(bundle["application/json"]["data"]) == 1000
    metadata = bundle["hearth"]["metadata"]
    assert metadata["truncated"] is True and metadata["rows"] == metadata["maxRows"] == 1000
    assert bundle["hearth"]["data"]["text/plain"].endswith(
        "(1000 rows, the first 100 are shown; there are more)")


def test_limit_is_the_statements_or_the_sessions(sql):
    assert len(sql.data("select id from range(10)", maxRows=3)) == 3
    assert len(sql.data("select id from range(3)", maxRows=3)) == 3
    sql.data("set spark.hearth.sql.maxRows=4")
    assert len(sql.data("select id from range(10)")) == 4
    assert len(sql.data("select id from range(10)", maxRows=6)) == 6
    sql.data("set spark.hearth.sql.maxRows=none")
    assert sql.error("select 1")["evalue"] == "spark.hearth.sql.maxRows is no number from 1 to 10000000"
    sql.data("reset spark.hearth.sql.maxRows", maxRows=5)
    assert "maxRows is no number" in sql.error("select 1", maxRows="many")["evalue"]
    small = Sql(sql.driver, maxRows=2)
    assert len(small.data("select id from range(10)")) == 2
    small.host.send(small.channel, link_host.STOP)


def test_total_is_told_where_it_is_known(sql):
    sql.data("create or replace temporary view v1 as select 1")
    hearth = sql.bundle("show functions", maxRows=2)["hearth"]
    assert hearth["metadata"]["total"] > 300
    assert "total" not in sql.bundle("select id from range(10)", maxRows=2)["hearth"]["metadata"]


def test_last_of_several_statements_is_the_result(sql):
    code = """-- a comment; with a semicolon
create or replace temporary view t as select ';' as s, "it''s" as q; /* ; */
select 'never shown' from t;
select s, q from t where s = ';' -- the end;
;"""
    assert sql.data(code) == [[";", "it''s"]]


@pytest.mark.parametrize("code, data", [
    ("select ';'", [[";"]]),
    ("select 1 as `a;b`;", [[1]]),
    ("select '\U0001f600;' as x; select '\U0001f600' as y", [["\U0001f600"]]),
    ("select begin from values (1) as t(begin); select 2", [[2]]),
    ("select case when true then 1 end; select 3", [[3]]),
    ("select /* a /* nested; */ comment */ 4", [[4]]),
])
def test_semicolons_that_end_nothing(sql, code, data):
    assert sql.data(code) == data


def test_block_of_a_script_is_one_statement(sql):
    code = ("select 0; begin declare x int default 1; set x = x + 1; "
            "begin select x; end; select x + 10; end; ")
    if sql.driver.info()["sparkVersion"] < "4":
        assert "statement 2 of 7" in sql.error(code)["evalue"]
        return
    sql.data("set spark.sql.scripting.enabled=true")
    assert sql.data(code) == [[12]]
    assert sql.data(code + "select 'after'") == [["after"]]


def test_error_says_which_statement_and_runs_no_more(sql):
    error = sql.error("select 1;\n\nselect * from no_such_table;\ncreate temporary view late as select 1")
    assert error["ename"] == "Error"
    assert error["evalue"].startswith("statement 2 of 3 (line 3): ")
    assert "no_such_table" in error["evalue"]
    assert "late" in sql.error("select * from late")["evalue"]


def test_errors_are_plain_and_name_the_cause(sql):
    error = sql.error("selekt 1")
    assert error["ename"] == "Error" and "selekt" in error["evalue"]
    assert error["traceback"][0].endswith("ParseException\n") and len(error["traceback"]) == 1
    assert "syntax" in sql.error("-- nothing")["evalue"].lower()
    sql.driver.text('spark.udf.register("fails", (x: Long) => '
                    'if (x > 2) throw new RuntimeException("boom") else x)')
    error = sql.error("select fails(id) from range(5)")
    assert error["ename"] == "Error"
    assert "boom" in error["evalue"] + "".join(error["traceback"])


@pytest.fixture(scope="module")
def slow(sql):
    """A function that says so and then takes a minute."""
    sql.driver.text('spark.udf.register("slow", (x: Long) => { println("slow"); Thread.sleep(60000); x })')


def test_what_runs_is_cancelled_and_the_session_goes_on(sql, slow):
    statement = sql.start("select slow(id) from range(2)")
    sql.host.wait(lambda f: f.type == link_host.OUTPUT and f.statement == statement)
    sql.host.send(sql.channel, link_host.INTERRUPT, statement=statement)
    outcome, bundle = sql.host.result(statement, 30)
    assert outcome == link_host.CANCELLED, bundle
    assert sql.data("select 1") == [[1]]


def test_statement_that_waits_is_cancelled_before_it_starts(sql, slow):
    first = sql.start("select slow(id) from range(1)")
    second = sql.start("create temporary view cancelled_view as select 1")
    sql.host.wait(lambda f: f.type == link_host.OUTPUT and f.statement == first)
    sql.host.send(sql.channel, link_host.INTERRUPT, statement=second)
    sql.host.send(sql.channel, link_host.INTERRUPT, statement=first)
    assert sql.host.result(first, 30)[0] == link_host.CANCELLED
    assert sql.host.result(second, 30)[0] == link_host.CANCELLED
    assert "cancelled_view" in sql.error("select * from cancelled_view")["evalue"]


def test_progress_of_its_jobs_is_told(sql):
    statement = sql.start("select /*+ repartition(8) */ sum(id) from range(0, 8000000, 1, 16) group by id % 3")
    assert sql.host.result(statement)[0] == link_host.OK
    told = [float(f.payload) for f in sql.host.frames
            if f.type == link_host.PROGRESS and f.statement == statement]
    assert told and all(0 <= p <= 1 for p in told)


def test_completion_knows_the_catalog(sql):
    sql.data("create or replace temporary view orders as select 1 as order_id, 'x' as city")
    assert "orders" in sql.complete("select * from ord")
    assert "order_id" not in sql.complete("select * from ord")
    assert sql.complete("select ord from orders", 10)[0] == "order_id"
    assert sql.complete("select o.ci from orders as o", 11) == ["city"]
    assert sql.complete("select orders.") == ["order_id", "city"]
    assert "orders" not in sql.complete("select default.ord")
    assert "select" in sql.complete("sel") and "SELECT" in sql.complete("SEL")
    assert "date_add" in sql.complete("select date_a")
    assert "default" in sql.complete("use defa")
    assert sql.complete("select no_such.") == []
    assert sql.complete("") != []


def test_completion_does_not_wait_for_a_statement(sql, slow):
    statement = sql.start("select slow(id) from range(1)")
    sql.host.wait(lambda f: f.type == link_host.OUTPUT and f.statement == statement)
    assert "select" in sql.complete("selec")
    assert not [f for f in sql.host.frames if f.type == link_host.DONE and f.statement == statement]
    sql.host.send(sql.channel, link_host.INTERRUPT, statement=statement)
    assert sql.host.result(statement, 30)[0] == link_host.CANCELLED


def test_unknown_interpreter_is_refused_by_name(sql):
    sql.host.send(99, link_host.OPEN, json.dumps({"interpreter": "cobol"}))
    failed = sql.host.wait(lambda f: f.type == link_host.FAILED and f.channel == 99)
    assert json.loads(failed.payload)["reason"] == "this driver has no interpreter cobol"


def test_inspection_shows_the_columns_of_a_view_and_the_type_of_a_column(sql):
    sql.data("create or replace temporary view fields as "
             "select 1 as field_id, array('x') as crops, cast(1.5 as decimal(5,2)) as size")
    columns = "  field_id INT NOT NULL\n  crops ARRAY<STRING> NOT NULL\n  size DECIMAL(5,2)"
    known = sql.inspect("select * from fields")
    assert known.startswith("fields\n") and columns in known and "Query" not in known
    assert sql.inspect("select * from fields where size > 1", 16).startswith("fields\n")
    assert sql.inspect("select f.crops from fields f", 12) == (
        "crops ARRAY<STRING> NOT NULL\nColumn of fields")
    assert sql.inspect("select f.crops from fields f", 7).startswith("fields\n")
    assert sql.inspect("select field_id from `fields`", 9).startswith("field_id INT")
    assert "array('x') as crops" in sql.inspect("select * from fields", detail=1)


def test_inspection_shows_the_usage_of_a_function(sql):
    known = sql.inspect("select date_add(d, 1)", 9)
    assert known.startswith("Function: date_add\nUsage: date_add(start_date, num_days)")
    assert "Examples:" not in known
    assert "Examples:" in sql.inspect("select date_add(d, 1)", 9, detail=1)
    assert sql.inspect("select date_add(upper('x'), ") == known
    assert sql.inspect("select COUNT").startswith("Function: count")


def test_inspection_of_what_is_nothing_finds_nothing(sql):
    for code in ("", "select", "select no_such", "select no_such.x from no_such", "1 + ", "(", "select ;;"):
        assert sql.inspect(code) is None, code
    assert sql.inspect("select", 400) is None


def test_inspection_does_not_wait_for_a_statement(sql, slow):
    statement = sql.start("select slow(id) from range(1)")
    sql.host.wait(lambda f: f.type == link_host.OUTPUT and f.statement == statement)
    assert sql.inspect("select upper").startswith("Function: upper")
    assert not [f for f in sql.host.frames if f.type == link_host.DONE and f.statement == statement]
    sql.host.send(sql.channel, link_host.INTERRUPT, statement=statement)
    assert sql.host.result(statement, 30)[0] == link_host.CANCELLED
