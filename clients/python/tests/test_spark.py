"""Tables, plots and shared RDDs, on a Spark session."""

import datetime
import decimal
import math

import hearth
import pytest
from hearth.shared import literal


def test_a_table_is_a_data_frame_with_the_columns_types(spark):
    spark.run("""import datetime, decimal
rows = [{"n": 1, "x": 1.5, "s": "a", "b": True, "d": decimal.Decimal("1.10"), "day": datetime.date(2020, 1, 2),
         "t": datetime.datetime(2020, 1, 2, 3, 4, 5), "l": [1, 2]}, {k: None for k in "n x s b d day t l".split()}]""")
    frame = spark.table("rows")
    assert list(frame.columns) == ["b", "d", "day", "l", "n", "s", "t", "x"]
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert (kinds["b"], kinds["n"], kinds["x"]) == ("boolean", "Int64", "float64")
    first, second = frame.iloc[0], frame.iloc[1]
    assert first["n"] == 1 and first["d"] == decimal.Decimal("1.10") and first["l"] == [1, 2]
    assert first["day"].date() == datetime.date(2020, 1, 2)
    assert first["t"].to_pydatetime() == datetime.datetime(2020, 1, 2, 3, 4, 5)
    assert second.isna().all() and math.isnan(frame["x"][1])
    big = spark.table("spark.range(10000).selectExpr('id', 'id % 7 as r')")
    assert str(big.dtypes["id"]) == "int64" and len(big) >= 1000


def test_rows_and_columns_do_not_need_pandas(spark):
    result = spark.run('%table [(1, "a"), (2, None)]')
    assert (result.columns, result.rows) == (["0", "1"], [[1, "a"], [2, None]])
    with pytest.raises(KeyError):
        spark.run("1").rows


def test_sql_is_a_data_frame_with_exact_values(spark):
    frame = spark.sql("""select id, cast('12345678901234567890.123456789012345678' as decimal(38,18)) as d, double('NaN') as x,
        timestamp'2020-01-02 03:04:05' as t, date'1500-01-01' as day, array(id) as l from range(3)""", maxRows=2)
    assert len(frame) == 2 and str(frame.dtypes["id"]) == "int64"
    assert frame["d"][0] == decimal.Decimal("12345678901234567890.123456789012345678")
    assert math.isnan(frame["x"][0]) and frame["l"][1] == [1]
    assert frame["t"][0].isoformat().startswith("2020-01-02T03:04:05")
    twice = spark.sql("select 1 as x, 2 as x")
    assert list(twice.columns) == ["x", "x"] and twice.values.tolist() == [[1, 2]]
    assert spark.run("%sql select 1.5BD as d").rows == [[decimal.Decimal("1.5")]]


def test_an_empty_table_keeps_its_columns(spark):
    frame = spark.table("spark.range(0).selectExpr('id', 'id as other')")
    assert list(frame.columns) == ["id", "other"] and len(frame) == 0


def test_json_and_plots_come_back_as_values(spark):
    assert spark.json("{'a': [1, None, 'é']}") == {"a": [1, None, "é"]}
    assert spark.json("Seq(1, 2).sum", kind="spark") == 3
    plot = spark.run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\n%matplot plt")
    assert plot.png.startswith(b"\x89PNG")


def test_progress_of_a_job_is_told_as_it_runs(spark):
    told = []
    code = "import time\nprint('begun')\nsc.parallelize(range(8), 8).map(lambda x: time.sleep(0.4) or x).sum()"
    result = spark.run(code, on_event=lambda event, data: told.append((event, data)))
    assert result.text == "begun\n28"
    fractions = [data["progress"] for event, data in told if event == "progress"]
    assert [f for f in fractions if 0 < f < 1] and fractions == sorted(fractions)
    output = [i for i, (event, _) in enumerate(told) if event == "output"][0]
    assert any(event == "progress" for event, _ in told[output:]), "the text came before the end"


def test_shared_rdds_are_read_and_written_by_name(spark, tmp_path):
    states = spark.shared_rdd("states", {"ak": "Alaska", "it's \"odd\"\n": [1, 2.5, None, True]})
    assert states.get("ak") == "Alaska"
    assert states.get("it's \"odd\"\n") == [1, 2.5, None, True]
    assert states.get("no") is None and states.get("no", "none") == "none"
    states.set("ca", ("California", 1))
    with hearth.Session.attach(spark.id, spark.url) as other:
        again = other.shared_rdd("states")
        assert again.get("ca") == ["California", 1] and again.count() == 3
        assert again.lookup("ak") == ["Alaska"] and len(again.take(2)) == 2
    assert spark.json('SharedRdd("states").get("ak")', kind="spark") == "Alaska"
    states.save("file:%s/states" % tmp_path)
    assert spark.shared_rdd("loaded").load("file:%s/states" % tmp_path).get("ak") == "Alaska"
    assert hearth.SharedRdd.names(spark) == ["loaded", "states"]
    assert {item["name"] for item in spark.shared() if item.get("shared")} == {"loaded", "states"}
    states.remove()
    with pytest.raises(hearth.StatementError) as failure:
        states.get("ak")
    assert "there is no shared RDD named 'states'; there are loaded" in str(failure.value)


@pytest.mark.parametrize("value", [
    None, True, -7, 1.5, "q'\"\\\n☃", b"\x00'", [], (), set(), {}, (1,), [1, (2, {"k": {3}})]])
def test_simple_values_become_code_that_means_them(value):
    assert eval(literal(value)) == value


def test_what_is_no_simple_value_is_refused_here():
    assert math.isnan(eval(literal(float("nan"))))
    for value in (object(), [object()], {"k": len}):
        with pytest.raises(TypeError, match="cannot be sent"):
            literal(value)


def test_rows_are_fetched_by_pages_and_names_are_inspected(spark):
    result = spark.run("select id, id * 2 as double from range(25) order by id", "sql")
    number = result.statement["id"]
    assert list(spark.rows(number, page=10)) == [[n, 2 * n] for n in range(25)]
    assert list(spark.rows(number, start=24)) == [[24, 48]]
    spark.run("import json")
    assert "Signature: dumps(obj" in spark.inspect("json.dumps")
    assert "def dumps(" in spark.inspect("json.dumps", detail=1)
    assert spark.inspect("select upper", kind="sql").startswith("Function: upper")
