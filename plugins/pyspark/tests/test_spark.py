"""The worker on a real Spark, for each of HEARTH_TEST_SPARK_HOMES (':' between) or SPARK_HOME."""

import glob
import json
import os
import subprocess
import sys
import time

import pytest

import fake_driver
from fake_driver import CANCELLED, OK

TABLE = "application/vnd.livy.table.v1+json"
HOMES = [
    home
    for home in os.environ.get("HEARTH_TEST_SPARK_HOMES", os.environ.get("SPARK_HOME", "")).split(
        ":"
    )
    if home
]

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(not HOMES, reason="no Spark: set HEARTH_TEST_SPARK_HOMES"),
]


class Jvm:
    def __init__(self, home, folder):
        libraries = glob.glob(home + "/python/lib/*.zip")
        self.environment = {
            "SPARK_HOME": home,
            "PYTHONPATH": ":".join(libraries),
            "SPARK_SUBMIT_OPTS": "-XX:TieredStopAtLevel=1",
        }
        self._process = subprocess.Popen(
            [
                os.environ.get("WORKER_PYTHON", sys.executable),
                os.path.join(os.path.dirname(__file__), "spark_jvm.py"),
                folder,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, **self.environment),
            cwd=folder,
            text=True,
        )
        self.line = json.loads(self._process.stdout.readline())

    def worker(self):
        gateway = {
            "PYSPARK_GATEWAY_PORT": str(self.line["port"]),
            "PYSPARK_GATEWAY_SECRET": self.line["secret"],
        }
        return fake_driver.Worker(env=dict(self.environment, **gateway))

    def ask(self, command):
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def wait_for_jobs(self, count):
        for _ in range(600):
            if self.ask("jobs") == count:
                return True
            time.sleep(0.05)
        return False

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@pytest.fixture(
    scope="module",
    params=HOMES,
    ids=[os.path.basename(os.path.dirname(home.rstrip("/"))) for home in HOMES],
)
def jvm(request, tmp_path_factory):
    started = Jvm(request.param, str(tmp_path_factory.mktemp("spark")))
    yield started
    started.close()


@pytest.fixture(scope="module")
def spark(jvm):
    started = jvm.worker()
    yield started
    started.close()


def test_the_context_is_the_drivers_own(jvm, spark):
    assert spark.text("sc.applicationId") == repr(jvm.line["app"])
    assert (
        spark.text("spark._jsparkSession.equals(sc._jvm.org.apache.spark.repl.Main.sparkSession())")
        == "True"
    )
    assert (
        spark.text(
            "from pyspark.sql import SparkSession; SparkSession.builder.getOrCreate() is spark"
        )
        == "True"
    )
    assert spark.text(
        "sqlContext.sparkSession is spark, HiveContext.__name__, StreamingContext.__name__"
    ) == ("(True, 'HiveContext', 'StreamingContext')")
    assert spark.stdout.pending() == spark.stderr.pending() == b""


def test_types_of_the_globals_are_livys(spark):
    names = spark.text("print(type(spark).__name__, type(sc).__name__, type(sqlContext).__name__)")
    assert names == "SparkSession SparkContext SQLContext"


def test_dataframes_rdds_and_functions_of_cells(spark):
    assert spark.text("spark.range(3).show()") == "+---+\n| id|\n+---+\n|  0|\n|  1|\n|  2|\n+---+"
    spark.text("def plus(x):\n    return x + 1\nclass P:\n    n = 5")
    assert (
        spark.text("sc.parallelize(range(4), 2).map(plus).map(lambda x: x * P.n).collect()")
        == "[5, 10, 15, 20]"
    )
    spark.text("from pyspark.sql.functions import udf")
    # Spark may warn on stderr of what its libraries lack.
    assert (
        spark.run(
            "spark.range(2).select(udf(lambda i: i + 10, 'long')('id')).collect()[1][0]"
        ).stdout
        == "11\n"
    )
    assert (
        spark.text(
            "sc.parallelize(['a', 'b', 'a']).map(lambda w: (w, 1)).reduceByKey(int.__add__).collectAsMap()['a']"
        )
        == "2"
    )


def test_analysis_error_has_livys_shape(spark):
    error = spark.error("spark.sql('select nope from range(3)').show()")
    assert error["ename"] == "AnalysisException" and error["evalue"].startswith(
        "[UNRESOLVED_COLUMN.WITH_SUGGESTION]"
    )
    assert error["traceback"][0] == "Traceback (most recent call last):\n"
    assert "/pyspark/sql/" in error["traceback"][1] and error["traceback"][1].startswith("  File ")
    assert not any("<stdin" in line or "repl/" in line for line in error["traceback"])


def test_tables(spark):
    bundle = spark.ok(
        "from pyspark.sql import Row\nr = [Row(b=1, a='z'), Row(b=2, a='y')]\n%table r"
    )
    assert bundle == {
        TABLE: {
            "headers": [{"name": "a", "type": "STRING_TYPE"}, {"name": "b", "type": "INT_TYPE"}],
            "data": [["z", 1], ["y", 2]],
        }
    }
    assert spark.ok("%table r[0]")[TABLE]["data"] == [["z", 1]]
    assert spark.ok("%table sc.parallelize(range(100))")[TABLE]["data"] == [[n] for n in range(10)]
    sql = """select 2L as z, 'x' as a, 1 as i, 1.5D as d, 1.10BD as dec, true as t, null as n, date'2020-01-02' as dt,
        timestamp'2020-01-02 03:04:05' as ts, array(1, 2) as arr, map('k', 1) as m, named_struct('f', 1) as st, double('nan') as nan"""
    table = spark.ok("df = spark.sql('''%s''')\n%%table df" % sql)[TABLE]
    assert [h["name"] for h in table["headers"]] == "z a i d dec t n dt ts arr m st nan".split()
    assert [h["type"][:-5] for h in table["headers"]] == (
        "BIGINT STRING INT DOUBLE DECIMAL BOOLEAN NULL DATE TIMESTAMP ARRAY MAP MAP DOUBLE".split()
    )
    assert table["data"] == [
        [
            2,
            "x",
            1,
            1.5,
            "1.10",
            True,
            None,
            "2020-01-02",
            "2020-01-02 03:04:05",
            [1, 2],
            {"k": 1},
            {"f": 1},
            None,
        ]
    ]
    table = spark.ok("%table spark.range(15000)")[TABLE]
    assert len(table["data"]) == 10000 and table["truncated"] is True
    assert spark.ok("%table spark.range(0)")[TABLE] == {
        "headers": [{"name": "id", "type": "BIGINT_TYPE"}],
        "data": [],
    }
    assert spark.ok("%table spark.sql('select 1 as x, 2 as x')")[TABLE]["data"] == [[1, 2]]


def test_json(spark):
    assert spark.ok("%json sc.parallelize([[1, 'a']]).collect()") == {
        "application/json": [[1, "a"]]
    }
    assert spark.ok("%json spark.range(2)") == {"application/json": [{"id": 0}, {"id": 1}]}
    assert spark.ok("%json sc.parallelize(range(100))")["application/json"] == list(range(10))


def test_completion_of_the_session(spark):
    assert "range" in spark.complete("spark.ran")
    assert "parallelize" in spark.complete("sc.para")
    assert "parquet" in spark.complete("spark.read.parq")


def test_jobs_carry_the_channel(spark):
    assert spark.text(
        "sc.getLocalProperty('hearth.channel'), sc.getLocalProperty('spark.job.interruptOnCancel')"
    ) == ("('2', 'true')")


@pytest.mark.parametrize(
    "code",
    [
        "sc.parallelize(range(2), 2).map(lambda x: __import__('time').sleep(1000)).collect()",
        "spark.range(1 << 50).selectExpr('sum(id % 7)').collect()",
        "spark.range(1 << 50).rdd.map(lambda r: r[0]).sum()",
    ],
)
def test_interrupted_jobs_end_with_their_statement(jvm, spark, code):
    statement = spark.start(code)
    assert jvm.wait_for_jobs(1)
    start = time.monotonic()
    spark.interrupt(statement)
    result = spark.wait(statement)
    assert (result.outcome, result.bundle["ename"]) == (CANCELLED, "KeyboardInterrupt")
    assert time.monotonic() - start < 10
    assert jvm.wait_for_jobs(0)
    assert "Interrupt" not in result.stderr
    test_jobs_carry_the_channel(spark)
    assert spark.text("spark.range(3).count()") == "3"


def test_job_that_the_driver_cancels_first_counts_as_cancelled(jvm, spark):
    statement = spark.start(
        "try:\n    sc.parallelize([1], 1).map(lambda x: __import__('time').sleep(1000)).collect()\n"
        "except KeyboardInterrupt:\n    raise RuntimeError('Job 0 cancelled')"
    )
    assert jvm.wait_for_jobs(1)
    spark.interrupt(statement)
    assert spark.wait(statement).outcome != OK
    assert jvm.wait_for_jobs(0)


def test_waiting_inside_the_jvm_is_interrupted(spark):
    statement = spark.start("print('going')\nsc._jvm.java.lang.Thread.sleep(1000000)")
    spark.stdout.wait_for(b"going")
    time.sleep(0.2)
    spark.interrupt(statement)
    assert spark.wait(statement).outcome == CANCELLED
    assert spark.text("spark.range(3).count()") == "3"


def test_interrupts_at_any_moment_leave_spark_usable(jvm, spark):
    import random

    chance = random.Random(11)
    for _ in range(25):
        statement = spark.start(
            "for i in range(20): x = spark.range(100).selectExpr('sum(id)').collect()"
        )
        time.sleep(chance.random() * 0.5)
        spark.interrupt(statement)
        result = spark.wait(statement)
        assert result.outcome in (OK, CANCELLED), result
        assert spark.text("spark.range(10).count()") == "10"
    assert jvm.wait_for_jobs(0)
    test_jobs_carry_the_channel(spark)


def test_handler_of_the_context_is_not_left_installed(spark):
    assert "signal_handler" not in spark.text("import signal; signal.getsignal(signal.SIGINT)")


def test_statement_makes_no_call_to_the_jvm(spark):
    spark.text(
        "import py4j.clientserver as c\ncalls = []\nsend = c.ClientServerConnection.send_command"
    )
    spark.run(
        "c.ClientServerConnection.send_command = lambda self, *a: calls.append(a) or send(self, *a)"
    )
    for _ in range(20):
        spark.text("1+1")
    assert spark.text("len(calls)") == "0"
    spark.run("c.ClientServerConnection.send_command = send")


def test_second_worker_shares_the_context_and_the_first_may_die(jvm, spark):
    spark.text("spark.range(7).createOrReplaceTempView('shared_view')")
    second = jvm.worker()
    try:
        assert second.text("spark.table('shared_view').count()") == "7"
        assert second.text("sc.applicationId") == repr(jvm.line["app"])
        with pytest.raises(fake_driver.Dead):
            second.run("import os; os._exit(1)")
    finally:
        second.close()
    assert spark.text("spark.table('shared_view').count()") == "7"


def test_gateway_secret_does_not_reach_child_processes(spark):
    assert "GATEWAY" not in spark.text("import os; os.system('env')")


def test_stopping_the_worker_leaves_the_context(jvm):
    worker = jvm.worker()
    assert worker.stop() == 0
    worker.close()
    again = jvm.worker()
    assert again.text("spark.range(2).count()") == "2"
    again.close()
