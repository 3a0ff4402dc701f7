"""Processes beside the driver: their output, their end, and nobody in their place."""

import itertools
import json
import os
import pathlib
import signal

import pytest
from link_host import (
    CANCELLED, COMPLETE, DONE, FAILED, INSPECT, INTERRUPT, LOST, OK, OPEN, OUTPUT, PROGRESS,
    READY, REPLY, STOP)
from spark_driver import ROOT, START_SECONDS, wait_until

HERE = pathlib.Path(__file__).resolve().parent
channels = itertools.count(2)

ANY_SPARK = True


class Opened:
    def __init__(self, driver, **options):
        self.driver, self.host, self.channel = driver, driver.host, next(channels)
        env = {"FAKES": str(ROOT / "plugin-api" / "kit"), **options.pop("env", {})}
        self.host.send(self.channel, OPEN, json.dumps({
            "argv": ["python3", "-u", "{dir}/worker.py"], "env": env,
            "files": {"worker.py": (HERE / "fake_worker.py").read_text()}, **options}))

    def wait(self, type, timeout=60):
        return self.host.wait(lambda f: f.type == type and f.channel == self.channel, timeout)

    def ready(self, timeout=60):
        return json.loads(self.wait(READY, timeout).payload)

    def run(self, code):
        return self.host.run(self.channel, code, 60)

    def stop(self):
        self.host.send(self.channel, STOP)


@pytest.fixture
def worker(driver):
    opened = Opened(driver)
    opened.pid = opened.ready()["pid"]
    yield opened
    opened.stop()


def gone(pid):
    return not pathlib.Path("/proc/%d/cmdline" % pid).exists()


def test_a_worker_answers_with_what_it_prints(worker):
    assert worker.run("print hello") == (OK, {"text/plain": "hello"})
    assert worker.run("child") == (OK, {"text/plain": "from a child"})
    assert worker.run("both") == (
        OK, {"text/plain": "to stdout\nto stderr", "application/json": 1})


def test_a_magic_that_prints_nothing_has_no_text(worker):
    assert worker.run("quiet") == (OK, {"application/json": [1]})


def test_markers_that_come_in_pieces_are_found_and_lookalikes_are_text(worker):
    assert worker.run("pieces") == (OK, {"text/plain": "before \0hearth:nearly a marker\0 \0"})


def test_broken_utf8_is_repaired_and_cut_characters_are_not(worker):
    assert worker.run("latin") == (OK, {"text/plain": "caf\ufffd ☃"})


def test_all_output_comes_before_the_end(worker):
    statement = worker.host.execute(worker.channel, "big 3000")
    assert worker.host.result(statement, 120)[0] == OK
    assert worker.host.printed(statement) == ("x" * 1023 + "\n") * 3000
    mine = [f.type for f in worker.host.frames if f.statement == statement]
    assert mine.index(DONE) == len(mine) - 1


def test_a_worker_and_scala_run_at_the_same_time(worker):
    statement = worker.host.execute(worker.channel, "wait")
    worker.driver.wait_until_running(statement)
    assert worker.driver.text("1 + 2").endswith(": Int = 3\n")
    worker.host.send(worker.channel, INTERRUPT, statement=statement)
    assert worker.host.result(statement)[0] == CANCELLED


def test_interrupt_cancels_the_jobs_of_the_workers_statement(worker):
    statement = worker.host.execute(worker.channel, "wait")
    worker.driver.wait_until_running(statement)
    # A job in the name of the worker's channel, as Python starts them.
    worker.driver.text(
        '@volatile var ended = ""\nval job = new Thread(() => { '
        'sc.setLocalProperty("hearth.channel", "%d")\n'
        'sc.setLocalProperty("hearth.statement", null)\n'
        'try sc.parallelize(1 to 2, 2).foreach(_ => Thread.sleep(100000)) '
        'catch { case e: Exception => ended = e.getMessage } })\njob.start()' % worker.channel)
    worker.host.wait(lambda f: f.type == PROGRESS and f.statement == statement)
    worker.host.send(worker.channel, INTERRUPT, statement=statement)
    assert "cancelled" in worker.driver.text("job.join(30000); ended")


def test_completion_goes_to_the_worker(worker):
    worker.host.send(worker.channel, COMPLETE, '{"code":"ab","cursor":2}', 77)
    assert json.loads(worker.wait(REPLY).payload) == {"candidates": ["ab!"]}


def test_inspection_goes_to_the_worker(worker):
    worker.host.send(worker.channel, INSPECT, '{"code":"ab","cursor":2,"detail":1}', 78)
    answer = worker.host.wait(lambda f: f.type == REPLY and f.statement == 78)
    assert json.loads(answer.payload) == {"found": True, "data": {"text/plain": "abab"}}


@pytest.mark.parametrize("code, how", [
    ("exit 5", "status 5"), ("kill", "signal 9"), ("vanish", "signal 9")])
def test_the_death_of_a_worker_ends_its_statement_and_is_told(driver, code, how):
    opened = Opened(driver)
    pid = opened.ready()["pid"]
    outcome, bundle = opened.run(code)
    assert outcome == LOST and how in bundle["evalue"]
    failed = json.loads(opened.wait(FAILED).payload)
    assert how in failed["reason"]
    if code == "exit 5":
        assert failed["output"] == "last words\n"
    assert gone(pid)
    assert opened.run("print after")[0] == LOST


def test_a_worker_that_cannot_start_is_told(driver):
    opened = Opened(driver, argv=["/does/not/exist"])
    assert "/does/not/exist" in json.loads(opened.wait(FAILED).payload)["reason"]


def test_a_stranger_with_a_wrong_secret_is_not_served(driver):
    opened = Opened(driver, env={"WRONG_SECRET": "1"})
    assert opened.wait(FAILED)
    assert not [f for f in driver.host.frames if f.type == READY and f.channel == opened.channel]


@pytest.mark.parametrize("env", [{}, {"DEAF": "1"}], ids=["obeys", "deaf"])
def test_stop_ends_a_worker_that_wants_to_or_not(driver, env):
    opened = Opened(driver, env=env)
    pid = opened.ready()["pid"]
    opened.stop()
    wait_until(lambda: gone(pid))
    # Its end was wanted: no failure.
    driver.text("1")
    assert not [f for f in driver.host.frames if f.type == FAILED and f.channel == opened.channel]


def test_what_is_printed_while_no_statement_runs_goes_to_the_log(driver):
    opened = Opened(driver, env={"EARLY_TEXT": "said too early"})
    opened.ready()
    wait_until(lambda: "said too early" in driver.log.read_text())
    assert opened.run("print x") == (OK, {"text/plain": "x"})
    opened.stop()


def test_python_gets_what_it_needs_to_join_spark(driver):
    opened = Opened(driver, attach="py4j", env={"GIVEN": "{dir}", "HOME": None})
    opened.ready()
    outcome, bundle = opened.run("env")
    env = bundle["application/json"]
    assert env["PYSPARK_GATEWAY_PORT"].isdigit() and len(env["PYSPARK_GATEWAY_SECRET"]) > 20
    paths = env["PYTHONPATH"].split(os.pathsep)
    assert paths[0] == driver.home + "/python/lib/pyspark.zip" and "py4j-" in paths[1]
    assert env["PYTHONHASHSEED"] and env["SPARK_HOME"] == driver.home
    assert "HOME" not in env and "HEARTH_LINK_FILE" not in env
    assert pathlib.Path(env["GIVEN"], "worker.py").exists()
    opened.stop()


def test_a_worker_is_stopped_with_the_driver(start):
    driver = start()
    opened = Opened(driver)
    pid = opened.ready(START_SECONDS)["pid"]
    statement = driver.host.execute(opened.channel, "wait")
    driver.wait_until_running(statement)
    driver.host.send(1, STOP)
    assert driver.host.result(statement)[0] == LOST
    assert driver.exit_status() == 0
    assert gone(pid)
    wait_until(lambda: driver.processes() == [])
    assert not [f for f in driver.host.frames if f.type == OUTPUT and f.channel == 1]


def test_a_python_that_computes_ends_with_a_driver_that_is_killed(start):
    repl = ROOT / "plugins" / "pyspark" / "repl"
    driver = start()
    opened = Opened(driver, attach="py4j",
                    files={file.name: file.read_text() for file in repl.glob("*.py")})
    opened.ready(START_SECONDS)
    statement = driver.host.execute(
        opened.channel, "import subprocess; subprocess.Popen(['sleep', '1000']); print('on')\nwhile True: pass")
    driver.wait_until_running(statement)
    os.kill(driver.process.pid, signal.SIGKILL)
    wait_until(lambda: driver.processes() == [], 60)
