"""Plugins that tell more than anybody can take."""

import time

import pytest

import harness

SETTINGS = {"session.shared_kind": "echo", "session.launch_time": "5s", "session.close_time": "2s",
            "plugins.call_limit": "60s"}
MOST = 400 << 20  # of memory, whatever is poured


@pytest.fixture
def host(bad_plugins, tmp_path):
    with harness.Server(tmp_path / "server", SETTINGS, bad_plugins) as server:
        yield server


def pouring(host, until, code):
    session = host.session(kind="wild", conf={"wild.at": "never", "wild.do": "no", "wild.until": str(until)})
    return session, host.submit(session, code)


@pytest.mark.parametrize("code", ("pour", "pourout"))
def test_a_flood_costs_neither_memory_nor_other_sessions(host, tmp_path, code):
    until = tmp_path / "until"
    session, number = pouring(host, until, code)
    echo = host.session(kind="echo")
    slowest, most = 0.0, 0
    end = time.monotonic() + 5
    while time.monotonic() < end:
        begun = time.monotonic()
        assert host.text(echo, "hello") == "hello"
        slowest = max(slowest, time.monotonic() - begun)
        most = max(most, host.memory())
    until.touch()
    assert most < MOST, most
    assert slowest < 5, slowest
    if code == "pour":
        assert host.finish(session, number)["output"]["status"] == "ok"
        told = host.get(f"/v1/sessions/{session}/statements/{number}/output?size=4194304").json
        last = host.get(f"/v1/sessions/{session}/statements/{number}/output"
                        f"?from={max(0, told['total'] - 1000)}").json["text"]
        assert "bytes are missing here: they came faster than the host could take them" in last, last
    assert host.delete(f"/sessions/{session}", timeout=30).status == 200
    log = host.log.read_text()
    assert log.count("pouring") < 20000
    assert "lines are missing here" in log


def test_output_within_the_bounds_is_whole(host):
    session = host.session(kind="wild")
    number = host.submit(session, "flood")
    host.finish(session, number)
    assert host.get(f"/v1/sessions/{session}/statements/{number}/output?size=1").json["total"] == 4096 * 1024


def test_timers_and_processes_have_bounds(host):
    session = host.session(kind="wild")
    timers, processes = host.text(session, "many").split()
    assert (int(timers), int(processes)) == (1000, 64)
    assert host.delete(f"/sessions/{session}", timeout=30).status == 200
