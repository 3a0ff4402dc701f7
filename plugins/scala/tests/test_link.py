"""The link: nothing is lost, nobody else is believed, and the driver ends when it should."""

import json
import os
import secrets

import pytest
from link_host import BYE, DONE, EXECUTE, FAILED, INFO, OK, OPEN, PREPARE, STOP, encode

ANY_SPARK = True


def test_a_result_of_the_time_without_host_comes_after_the_reconnect(driver):
    connections = driver.host.connections
    statement = driver.host.execute(1, 'println("started"); Thread.sleep(1500); "the end"')
    driver.wait_until_running(statement)
    driver.host.drop()
    outcome, bundle = driver.host.result(statement)
    assert outcome == OK and "the end" in bundle["text/plain"]
    assert driver.host.connections > connections


def test_frames_that_were_not_acknowledged_come_again_once(driver):
    driver.host.acks = False
    try:
        statement = driver.host.execute(1, 'println("not acknowledged")')
        driver.host.result(statement)
        driver.host.lose(statement)
    finally:
        driver.host.acks = True
    outcome, bundle = driver.host.result(statement)
    assert (outcome, bundle["text/plain"]) == (OK, "not acknowledged\n")
    assert driver.host.printed(statement) == "not acknowledged\n"
    assert len([f for f in driver.host.frames if f.type == DONE and f.statement == statement]) == 1


def test_a_frame_that_comes_again_is_dropped(driver):
    driver.text("var times = 0")
    statement = driver.host.execute(1, "times += 1")
    driver.host.result(statement)
    driver.host.send_raw(encode(1, EXECUTE, "times += 1", 0, statement + 1000,
                                driver.host.last_sequence))
    assert driver.text("times").endswith(": Int = 1\n")


@pytest.mark.parametrize("garbage", [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n      ",
    b"\xff" * 64,
    encode(1, EXECUTE, "1", sequence=10**9),
    encode(0, 99),
    encode(0, 1, "{}"),
], ids=["http", "ones", "gap", "type", "hello"])
def test_garbage_ends_the_connection_and_not_the_session(driver, garbage):
    connections = driver.host.connections
    driver.host.send_raw(garbage)
    driver.host.wait_for(lambda: driver.host.connections > connections)
    assert driver.text("7").endswith(": Int = 7\n")


def test_a_host_that_does_not_know_the_secret_is_refused(driver):
    driver.host.honest = False
    try:
        driver.host.drop()
        attempts, connections = driver.host.attempts, driver.host.connections
        driver.host.wait_for(lambda: driver.host.attempts >= attempts + 2)
        assert driver.host.connections == connections
        statement = driver.host.execute(1, "1")
    finally:
        driver.host.honest = True
    assert driver.host.result(statement)[0] == OK


def test_the_driver_says_what_it_is(driver):
    info = driver.info()
    assert info["appId"].startswith("local-") and info["sparkUiUrl"] is None
    assert info["sparkVersion"][0] in "34" and info["scalaVersion"][:5] in ("2.12.", "2.13.")


def test_by_tls_a_driver_works_and_comes_back_as_by_its_socket(start):
    driver = start(tls=True).prepare()
    assert driver.text('println("x" * 3000000)').count("x") == 3000000
    statement = driver.host.execute(1, 'println("started"); Thread.sleep(1500); "the end"')
    driver.wait_until_running(statement)
    driver.host.drop()
    outcome, bundle = driver.host.result(statement)
    assert outcome == OK and "the end" in bundle["text/plain"]
    assert driver.host.connections == 2
    driver.host.send(1, STOP)
    assert driver.exit_status() == 0


def test_a_host_with_another_certificate_is_told_nothing(start):
    driver = start(tls=True, pin="0" * 64, orphan_seconds=5)
    assert driver.exit_status() == 0
    assert driver.host.attempts >= 1 and driver.host.connections == 0 and driver.host.frames == []
    assert "another certificate" in driver.log.read_text()


def test_stop_ends_the_driver_in_order_and_leaves_no_process(start):
    driver = start(unix=False)
    driver.info()
    driver.host.send(1, STOP)
    assert json.loads(driver.host.wait(lambda f: f.type == BYE).payload)["reason"]
    assert driver.exit_status() == 0
    assert driver.processes() == []
    assert driver.host.frames[-1].type == BYE


def test_without_prepare_no_interpreter_starts_until_a_statement_comes(start):
    driver = start()
    driver.info()
    assert [f.type for f in driver.host.frames] == [INFO]
    assert driver.run("1 + 1", 300) == (OK, {"text/plain": "res0: Int = 2\n"})


def test_system_exit_ends_the_driver_with_a_word(start):
    driver = start().prepare()
    driver.host.execute(1, "System.exit(3)")
    assert "exit" in json.loads(driver.host.wait(lambda f: f.type == BYE).payload)["reason"]
    assert driver.exit_status() == 3


def test_a_driver_without_host_ends_itself(start):
    driver = start(orphan_seconds=2)
    driver.info()
    driver.host.close()
    assert driver.exit_status() == 0
    assert "no host has come back" in driver.log.read_text()


def test_a_context_that_cannot_start_is_told_on_every_channel(start):
    driver = start(conf={"spark.driver.memory": "1g", "spark.memory.fraction": "7"})
    driver.host.send(1, PREPARE)
    driver.host.send(2, OPEN, json.dumps({"argv": ["true"]}))
    for channel in (1, 2):
        failed = driver.host.wait(lambda f: f.type == FAILED and f.channel == channel, 300)
        assert "spark.memory.fraction" in json.loads(failed.payload)["reason"].lower() \
            or "context did not start" in json.loads(failed.payload)["reason"]
    assert driver.exit_status() == 1


def test_logs_go_to_the_log_and_not_into_statements(driver):
    marker = secrets.token_hex(8)
    assert driver.text('org.slf4j.LoggerFactory.getLogger("x").warn("%s")' % marker) == ""
    assert marker in driver.log.read_text()
    assert os.stat(driver.host.link_file).st_mode & 0o77 == 0
