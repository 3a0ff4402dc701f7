"""kill -9 of the host at random moments and points, under load."""

import os
import random
import time

import pytest

import restart_points as points
from conftest import TAKES_UP
from restart_client import Client, Crowd

KILLS = int(os.environ.get("HEARTH_KILLS") or 25)
CLIENTS = 4
# What leaves drivers and supervisors alone, so that all that lives must survive.
HARMLESS = [(name, action) for name, actions in points.POINTS.items() for action in actions
            if points.owner(name) == "host" and action not in ("error",)]


@pytest.mark.timeout(240 + 4 * KILLS)
def test_nothing_is_lost_by_kills_under_load(make_world, seed):
    rng = random.Random(seed)
    world = make_world({"session.on_shutdown": "detach"} if TAKES_UP else None)
    host = world.host
    host.watch_children = False
    host.start()
    clients = [Client(world, f"c{n}", random.Random(seed + n)) for n in range(CLIENTS)]
    with Crowd(clients):
        for _ in range(KILLS):
            time.sleep(rng.uniform(0, 0.4) if rng.random() < 0.8 else rng.uniform(0, 2))
            if world.takes_up and rng.random() < 0.1:
                host.upgrade()
                continue
            faults = ""
            if rng.random() < 0.5:
                name, action = rng.choice(HARMLESS)
                faults = f"{name}={action}@{rng.randint(1, 20)}"
            host.kill(faults)
            if world.violations or host.problems:
                break
    print(f"{len(world.sessions)} sessions, {sum(len(s.statements) for s in world.sessions.values())} statements, "
          f"{len(world.batches)} batches, {host.generation} starts, the slowest {host.slowest_start:.2f} s")
    world.finish(seconds=120)


@pytest.mark.skipif(not TAKES_UP, reason="needs the take-up of live drivers")
def test_sessions_outlive_restarts_in_order(make_world, seed):
    """Also where a driver dials again while the host is still going down."""
    world = make_world({"session.on_shutdown": "detach"})
    host = world.host.start()
    client = Client(world, "stayer", random.Random(seed))
    sessions = [client.make_session() for _ in range(4)]
    for _ in range(5):
        for session in sessions:
            client.post(session, "count")
            client.post(session, "sleep 200")
        host.upgrade()
        for session in sessions:
            client.post(session, "count", "20s", "linkecho2")
    world.finish()
