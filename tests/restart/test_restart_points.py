"""Each fault point with each thing that can happen there, once."""

import random
import re
import subprocess

import pytest

import harness
import restart_points as points
from restart_client import Client

# Where the point is passed only by a host that comes back.
AFTER_RESTART = {"session.recover.before", "session.recover.after", "batch.takeup.before"}
CASES = [(name, action) for name, actions in points.POINTS.items() for action in actions]


def walk(client):
    """A bit of everything, each once."""
    def run(code, wait="20s", kind="linkecho"):
        return client.post(client.session(), code, wait, kind)

    client.make_batch("sleep=0.1")
    for code in ("echo hello", "count", "print 20", "count"):
        run(code)
    spinning = run("spin", wait=None)
    for session in client.sessions:
        client.world.cancel_unheard(session)
    behind = run("count", wait=None)
    if spinning is not None:
        client.world.look(spinning, "?wait=200ms")
        for _ in range(10):  # an answer that was not heard is no acknowledgement
            if not spinning.over() and not spinning.cancel_acknowledged:
                client.cancel(spinning)
        client.world.look(spinning, "?wait=10s")
    if behind is not None:
        client.world.look(behind, "?wait=10s")
    run("sleep 100")
    run("count", kind="linkecho2")
    run("print 5", wait=None, kind="linkecho2")
    other = client.make_session()
    if other is not None:
        client.post(other, "sleep 300")
        client.delete(other)
    ended = client.make_batch("sleep=5")
    if ended is not None:
        client.delete_batch(ended)
    run("count")
    run("count", kind="linkecho2")


def run_with(world, fault, late=False):
    host = world.host
    host.start("" if late else fault)
    client = Client(world, "walker", random.Random(1))
    if late:
        client.make_batch("sleep=0.3")
        client.post(client.session(), "sleep 200")
        host.kill(fault)
    walk(client)
    world.finish()
    assert host.fired(), "the fault did not happen"


@pytest.mark.parametrize("name, action", CASES, ids=[f"{name}-{action.split(':')[0]}" for name, action in CASES])
def test_nothing_is_lost_when_it_happens_there(make_world, name, action):
    world = make_world(drivers_die=action == "kill" and points.owner(name) == "driver",
                       steps_fail=action == "error")
    world.host.watch_children = action == "stop"
    run_with(world, f"{name}={action}", name in AFTER_RESTART)


# Later than at its first time: at the commit of each of a session's steps, and around its frames.
SWEEPS = {"store.commit.before": range(2, 16), "store.commit.after": range(2, 16, 2), "http.answer.before": range(2, 9),
          "link.send.after": range(2, 8), "link.receive.before": range(2, 24, 4), "link.receive.after": range(2, 24, 4),
          "link.ack.before": range(2, 6), "statement.finish.before": range(2, 7), "statement.run.after": range(2, 7)}
# The disk is slow, so that much has been sent and answered that is not yet there.
SLOW = "store.commit.before=delay:150@4+"


LATER = [(f"{name}=kill@{count}", slow) for name, counts in SWEEPS.items() for count in counts
         for slow in ("", "," + SLOW) if not slow or not name.startswith("store.")]


@pytest.mark.parametrize("fault, slow", LATER, ids=[fault + ("-slow-disk" if slow else "") for fault, slow in LATER])
def test_nothing_is_lost_when_the_host_dies_there_later(make_world, fault, slow):
    run_with(make_world(), fault + slow)


def test_every_point_of_the_sources_is_listed_and_every_listed_one_is_there():
    sources = [path for folder in ("host", "tests/restart/linkecho") for path in (harness.ROOT / folder).rglob("*.cpp")]
    used = {name for path in sources for name in re.findall(r'"((?:[a-z]+\.){1,2}(?:before|after))"', path.read_text())}
    assert used == set(points.POINTS)


@pytest.mark.parametrize("faults", ["store.commit.befor=kill", "store.commit.before=dup", "store.commit.before",
                                    "store.commit.before=kill@0", "store.commit.before=kill@x"])
def test_a_fault_that_cannot_happen_is_refused_at_the_start(tmp_path, faults):
    command = [str(harness.build_dir() / "bin" / "hearth"), "version"]
    done = subprocess.run(command, env={"HEARTH_FAULTS": faults}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and faults in done.stderr


def test_a_draft_of_a_batchs_properties_that_a_killed_host_has_left_is_removed(make_world):
    """There may be secrets in it. The oracle knows of every file that may be left."""
    world = make_world()
    host = world.host.start()
    batch = Client(world, "drafter", random.Random(1)).make_batch("sleep=0.5")
    (host.server.data / "batches" / str(batch.number) / "spark.properties.Ab12Cd").write_text("spark.ssl.keyPassword=x")
    host.kill()
    world.finish()
