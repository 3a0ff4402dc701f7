"""Hosts that die at every point where it could hurt, and an oracle that looks for what got lost."""

import os
import random

import pytest

import restart_host as hosts
import restart_world as worlds

# The next host takes up the sessions of a killed one.
TAKES_UP = True


def pytest_addoption(parser):
    parser.addoption("--seed", default=os.environ.get("HEARTH_SEED"), help="of the random schedules")


@pytest.fixture
def seed(request):
    """Printed where the test fails; HEARTH_SEED or --seed give it again."""
    given = request.config.getoption("--seed", default=None)
    chosen = int(given) if given else random.SystemRandom().randrange(1 << 32)
    print(f"to run it again: HEARTH_SEED={chosen} HEARTH_KILLS={os.environ.get('HEARTH_KILLS', '')} {request.node.nodeid}")
    return chosen


@pytest.fixture
def make_host(tmp_path):
    made = []

    def make(settings=None):
        host = hosts.Host(tmp_path / f"host{len(made)}", settings)
        made.append(host)
        return host

    yield make
    for host in made:
        host.abandon()


@pytest.fixture
def make_world(make_host):
    def make(settings=None, **more):
        return worlds.World(make_host(settings), TAKES_UP, **more)
    return make
