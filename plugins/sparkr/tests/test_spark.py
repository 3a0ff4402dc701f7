"""R beside a real driver: joined to its Spark context, interrupted, dying. SparkR is stood in for."""

import itertools
import json
import os
import signal
import subprocess

import link_host
import pytest
from conftest import HERE, REPL
from spark_driver import Driver, wait_until

channels = itertools.count(200)


class R:
    def __init__(self, driver, **env):
        self.driver, self.host, self.channel = driver, driver.host, next(channels)
        self.host.send(self.channel, link_host.OPEN, json.dumps({
            "argv": ["R", "--no-echo", "--no-restore", "--no-save", "--file={dir}/worker.R", "--args", "{dir}"],
            "env": env, "attach": "sparkr", "interrupt": "signal",
            "files": {file.name: file.read_text() for file in REPL.glob("*.R")}}))

    def wait(self, *types):
        return self.host.wait(lambda f: f.type in types and f.channel == self.channel, 300)

    def ready(self):
        frame = self.wait(link_host.READY, link_host.FAILED)
        assert frame.type == link_host.READY, frame
        return self

    def start(self, code):
        return self.host.execute(self.channel, code)

    def text(self, code):
        outcome, bundle = self.host.run(self.channel, code)
        assert outcome == link_host.OK, bundle
        return bundle["text/plain"]

    def cancel(self, statement):
        self.host.wait(lambda f: f.type == link_host.OUTPUT and f.statement == statement)
        self.host.send(self.channel, link_host.INTERRUPT, statement=statement)
        return self.host.result(statement, 60)[0]


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    subprocess.run(["R", "CMD", "INSTALL", "--no-docs", "--no-test-load", "-l", folder, HERE / "fake_sparkr"],
                   check=True, capture_output=True)
    return str(folder)


@pytest.fixture(scope="session")
def r(shared, library):
    if os.path.isdir(shared.home + "/R/lib/SparkR"):
        pytest.skip("this Spark has a SparkR of its own, see tests/spark")
    worker = R(shared, R_LIBS=library).ready()
    worker.text("call <- SparkR:::callJMethod; jvm <- SparkR:::callJStatic; "
                "spark <- SparkR:::.sparkREnv$.sparkRsession")
    yield worker
    assert worker.text("1 + 1") == "[1] 2"
    worker.host.send(worker.channel, link_host.STOP)


@pytest.fixture
def week(r):
    """A view of seven rows, by R's words."""
    r.driver.text('spark.range(7).createOrReplaceTempView("week")')
    return "call(call(spark, 'table', 'week'), 'count')"


def test_it_joins_the_context_that_scala_has(r, week):
    assert r.text(week) == "[1] 7"
    application = r.driver.info()["appId"]
    assert r.text("cat(call(call(spark, 'sparkContext'), 'applicationId'))") == application
    r.text("invisible(call(spark, 'sql', 'create or replace temporary view one as select 1'))")
    assert r.driver.text('spark.table("one").count').endswith("Long = 1\n")


def test_its_jobs_are_told_and_cancelled_with_it(r, week):
    r.driver.text('spark.udf.register("slow", (x: Long) => { Thread.sleep(60000); x })')
    statement = r.start("cat('go\\n'); call(call(spark, 'sql', 'select slow(id) from range(2)'), 'collectAsList')")
    r.host.wait(lambda f: f.type == link_host.PROGRESS and f.statement == statement)
    assert r.cancel(statement) == link_host.CANCELLED
    assert r.text(week) == "[1] 7"


def test_call_that_is_broken_off_leaves_no_half_answer(r, week):
    code = ("q <- SparkR:::callJStatic('java.util.concurrent.SynchronousQueue', '<init>'); cat('go\\n'); "
            "call(q, 'take')")
    for _ in range(4):  # interrupted in the JVM, so that R's connection is as good as before
        assert r.cancel(r.start(code)) == link_host.CANCELLED
    assert r.text(week) == "[1] 7"
    statement = r.start("call(call(spark, 'sql', 'select count(*) from range(0, 1000, 1, 8)'), 'collectAsList')")
    r.host.result(statement)
    assert [f for f in r.host.frames if f.type == link_host.PROGRESS and f.statement == statement], \
        "its jobs are known as before"


def test_calls_that_never_return_do_not_keep_r_from_coming_back(r):
    r.text("deaf <- SparkR:::callJStatic('java.util.concurrent.Semaphore', '<init>', 0L); "
           "invisible(call(jvm('java.lang.System', 'getProperties'), 'put', 'deaf', deaf))")
    waiting = 'System.getProperties.get("deaf").asInstanceOf[java.util.concurrent.Semaphore].getQueueLength'
    for i in range(1, 4):  # more than Spark's own backend has threads; each is left where it is
        statement = r.start("call(deaf, 'acquireUninterruptibly')")
        wait_until(lambda: r.driver.text(waiting).endswith("= %d\n" % i), 120)
        r.host.send(r.channel, link_host.INTERRUPT, statement=statement)
        assert r.host.result(statement, 60)[0] == link_host.CANCELLED
    assert r.text("call(deaf, 'getQueueLength')") == "[1] 3"
    r.text("invisible(call(deaf, 'release', 3L))")


@pytest.mark.parametrize("code", ["Sys.sleep(100)", "repeat {}", "system('sleep 100'); Sys.sleep(100)"])
def test_code_that_runs_is_interrupted(r, code):
    assert r.cancel(r.start("cat('go\\n'); " + code)) == link_host.CANCELLED
    assert r.text("1 + 1") == "[1] 2"


def test_questions_while_it_runs_are_answered_with_nothing_and_at_once(r):
    statement = r.start("cat('go\\n'); Sys.sleep(100)")
    r.host.wait(lambda f: f.type == link_host.OUTPUT and f.statement == statement)
    r.host.send(r.channel, link_host.COMPLETE, '{"code":"prin","cursor":4}', 901)
    reply = r.host.wait(lambda f: f.type == link_host.REPLY and f.statement == 901, 5)
    assert json.loads(reply.payload) == {"candidates": []}
    r.host.send(r.channel, link_host.INSPECT, '{"code":"print","cursor":4,"detail":0}', 902)
    reply = r.host.wait(lambda f: f.type == link_host.REPLY and f.statement == 902, 5)
    assert json.loads(reply.payload) == {"found": False, "data": {}}
    assert r.cancel(statement) == link_host.CANCELLED
    r.host.send(r.channel, link_host.INSPECT, '{"code":"print","cursor":4,"detail":0}', 903)
    reply = r.host.wait(lambda f: f.type == link_host.REPLY and f.statement == 903)
    assert json.loads(reply.payload)["data"]["text/plain"].startswith("print: function, of base")


def test_figures_beside_the_result_are_displayed(r):
    statement = r.start("plot(1); plot(2)")
    outcome, bundle = r.host.result(statement)
    assert outcome == link_host.OK and set(bundle) == {"text/plain", "image/png"}
    shown = [json.loads(f.payload) for f in r.host.frames
             if f.type == link_host.DISPLAY and f.statement == statement]
    assert len(shown) == 1 and set(shown[0]) == {"image/png"}


def test_without_sparkr_it_says_where_it_looked(shared):
    if os.path.isdir(shared.home + "/R/lib/SparkR"):
        pytest.skip("this Spark has a SparkR")
    failed = json.loads(R(shared).wait(link_host.FAILED).payload)
    assert "SparkR is not installed: %s/R/lib/SparkR does not exist" % shared.home in failed["output"]


def test_plain_r_dies_alone_and_comes_back(shared):
    worker = R(shared, HEARTH_R_PLAIN="1").ready()
    outcome, bundle = worker.host.run(worker.channel, "tools::pskill(Sys.getpid(), 9); Sys.sleep(10)")
    assert outcome == link_host.LOST and "signal 9" in bundle["evalue"]
    again = R(shared, HEARTH_R_PLAIN="1").ready()
    assert again.text("1 + 1") == "[1] 2"
    again.host.send(again.channel, link_host.STOP)
    assert shared.text("40 + 2").endswith("= 42\n")


@pytest.fixture
def driver_of_its_own(spark_home, tmp_path):
    driver = Driver(spark_home, tmp_path)
    yield driver
    driver.close()


def test_r_that_computes_ends_with_a_driver_that_is_killed(driver_of_its_own):
    driver = driver_of_its_own
    worker = R(driver, HEARTH_R_PLAIN="1").ready()
    statement = worker.start("system('sleep 1000', wait = FALSE); cat('on\\n'); repeat {}")
    driver.wait_until_running(statement)
    assert len(driver.processes()) > 2
    os.kill(driver.process.pid, signal.SIGKILL)
    wait_until(lambda: driver.processes() == [], 60)
