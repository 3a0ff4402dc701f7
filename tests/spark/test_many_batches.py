"""A burst of real applications, whose order and number must hold on a small machine.

HEARTH_BURST says how many; the part "burst" of script/test posts 50.
"""

import concurrent.futures
import os

import pytest

import applications
from test_batches import CONF, finish

ANY_SPARK = True
BURST = int(os.environ.get("HEARTH_BURST", "12"))


@pytest.fixture(scope="session")
def jar(spark_home, tmp_path_factory):
    return str(applications.build(spark_home, tmp_path_factory.mktemp("many")))


def test_applications_posted_at_once_by_two_users_all_end(server, jar):
    def post(n):
        # The same user's all come first: the other one must not wait for them.
        return server.post("/v1/batches", {"file": jar, "className": "Hello", "args": [str(n)],
                                           "conf": {**CONF, "spark.app.name": "ann" if n < BURST / 2 else "bob"}})
    with concurrent.futures.ThreadPoolExecutor(BURST) as pool:
        answers = list(pool.map(post, range(BURST)))
    assert {answer.status for answer in answers} == {201}
    memory = server.memory()
    for n, answer in enumerate(answers):
        view, log = finish(server, answer.json["id"])
        assert view["state"] == "success" and f"hello {n}" in log
    assert server.memory() < memory + 64 * 1024 * 1024
