"""Output while code runs, of any size, from real interpreters."""

import json
import time

import pytest

ANY_SPARK = True


def first_event(server, session, statement, name):
    with server.stream(f"/v1/sessions/{session}/statements/{statement}/events") as answer:
        event = None
        for line in answer:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            if line.startswith("data: ") and event == name:
                return json.loads(line[6:]), time.time()
    raise AssertionError(f"no event {name}")


PRINTS_100_MB = {
    "pyspark": "for i in range(1600): print('x' * 65535)",
    "spark": "for (i <- 0 until 1600) println(\"x\" * 65535)",
}


@pytest.mark.parametrize("kind", ["pyspark", "spark"])
def test_a_hundred_megabytes_of_output_do_not_stay_in_the_host(server, scala, kind):
    server.run(scala, "1", kind=kind)
    before = server.memory()
    ended = server.run(scala, PRINTS_100_MB[kind], kind=kind)
    grown = server.memory() - before
    assert ended["output"]["status"] == "ok", ended
    assert len(json.dumps(ended)) < 5 << 20, "a view must stay readable"
    assert grown < 32 << 20, f"the host grew by {grown >> 20} MiB"
    path = f"/v1/sessions/{scala}/statements/{ended['id']}/output"
    page = server.get(f"{path}?size=1").json
    assert page["total"] == 1600 * 65536
    size = 0
    with server.stream(f"{path}/text") as answer:
        while piece := answer.read(1 << 20):
            assert piece.strip(b"x\n") == b""
            size += len(piece)
    assert size == 1600 * 65536
    assert server.memory() - before < 32 << 20


@pytest.mark.parametrize("kind,code", [
    ("pyspark", "import time, sys; print(time.time()); time.sleep(30)"),
    ("spark", "println(System.currentTimeMillis() / 1000.0); Thread.sleep(30000)"),
])
def test_what_is_printed_reaches_a_follower_at_once(server, scala, kind, code):
    server.run(scala, "1", kind=kind)
    delays = []
    for _ in range(5):
        made = server.post(f"/sessions/{scala}/statements", {"code": code, "kind": kind}).json["id"]
        data, seen = first_event(server, scala, made, "output")
        delays.append(seen - float(data["text"]))
        server.post(f"/sessions/{scala}/statements/{made}/cancel")
        server.finish(scala, made)
    # The bound that users were promised; the best of five, since this is no benchmark.
    assert min(delays) < 0.05, delays
