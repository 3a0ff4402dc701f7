"""Cancel stops code, says so only then, and leaves the session as it was."""

import time

import pytest
from link_host import CANCELLED, DONE, INTERRUPT, OK


def cancel(driver, code, more=""):
    # In one piece, so that what is cancelled is the code and not its compilation.
    statement = driver.host.execute(1, '{ println("running")\n' + code + "\n}" + more)
    driver.wait_until_running(statement)
    time.sleep(1)  # into jobs, too, which have no event to tell
    started = time.monotonic()
    driver.host.send(1, INTERRUPT, statement=statement)
    outcome, bundle = driver.host.result(statement, 60)
    print("cancelled in %.2f s: %s" % (time.monotonic() - started, code))
    assert outcome == CANCELLED and bundle["ename"] == "Cancelled"


@pytest.mark.parametrize("code", [
    "Thread.sleep(100000)",
    "while (true) {}",
    "while (true) { try { Thread.sleep(100) } catch { case _: InterruptedException => } }",
    "sc.parallelize(1 to 2, 2).foreach(_ => Thread.sleep(100000))",
    "spark.range(2).as[Long].map { i => Thread.sleep(100000); i }.collect",
    "var jobs = 0\nwhile (true) { try sc.parallelize(1 to 2).foreach(_ => Thread.sleep(1000)) "
    "catch { case _: Exception => jobs += 1 } }",
], ids=["sleep", "cpu-loop", "deaf-loop", "rdd-job", "sql-job", "job-loop"])
def test_cancel_stops(driver, code):
    # Spark's own first steps take seconds, and see no interrupt.
    driver.text("val before = 1\nspark.range(1).as[Long].map(_ + 1).collect")
    cancel(driver, code)
    assert driver.text("before + 1").endswith(": Int = 2\n")
    assert driver.text("Thread.currentThread.isInterrupted").endswith(": Boolean = false\n")
    assert driver.text("sc.parallelize(1 to 4).sum").endswith(": Double = 10.0\n")


def test_lines_after_the_cancelled_one_do_not_run(driver):
    driver.text("var after = 0")
    cancel(driver, "Thread.sleep(100000)", more="\nafter = 1")
    assert driver.text("after").endswith(": Int = 0\n")


def test_a_statement_that_waits_can_be_cancelled(driver):
    driver.text("var ran = 0")
    first = driver.host.execute(1, 'println("first"); Thread.sleep(2000)')
    second = driver.host.execute(1, "ran = 1")
    driver.wait_until_running(first)
    driver.host.send(1, INTERRUPT, statement=second)
    assert driver.host.result(second)[0] == CANCELLED
    assert driver.host.result(first)[0] == OK
    assert driver.text("ran").endswith(": Int = 0\n")


def test_cancel_of_a_statement_that_has_ended_does_nothing(driver):
    statement = driver.host.execute(1, "1")
    driver.host.result(statement)
    driver.host.send(1, INTERRUPT, statement=statement)
    assert driver.text("Thread.sleep(500); 3").endswith(": Int = 3\n")
    assert len([f for f in driver.host.frames if f.type == DONE and f.statement == statement]) == 1


def test_jobs_of_other_threads_survive_a_cancel(driver):
    driver.text(
        "@volatile var others = 0.0\n"
        'val other = new Thread(() => { sc.setLocalProperty("hearth.channel", null); '
        "others = sc.parallelize(1 to 2).map { i => Thread.sleep(4000); i }.sum })\n"
        "other.start()")
    cancel(driver, "sc.parallelize(1 to 2, 2).foreach(_ => Thread.sleep(100000))")
    assert driver.text("other.join(); others").endswith(": Double = 3.0\n")


def test_a_job_that_cancelled_code_starts_late_ends_at_once(driver):
    driver.text("val gate = new java.util.concurrent.CountDownLatch(1)\n@volatile var late = \"\"")
    cancel(driver, "val left = new Thread(() => { gate.await(); "
                   "try { sc.parallelize(1 to 2, 2).foreach(_ => Thread.sleep(100000)); late = \"ran\" } "
                   "catch { case e: Exception => late = e.getMessage } })\n"
                   "left.start()\nThread.sleep(100000)")
    driver.text('gate.countDown()\nwhile (late == "") Thread.sleep(10)')
    assert "cancelled" in driver.text("late")
    assert driver.text("sc.parallelize(1 to 4).sum").endswith(": Double = 10.0\n")
