"""A store with very much in it: the start does not read it, memory does not hold it."""

import harness
import large_store

SESSIONS, STATEMENTS = 20_000, 200_000


def bytes_read(server):
    """By the server, of any file, since it was started."""
    for line in open(f"/proc/{server.process.pid}/io"):
        if line.startswith("rchar:"):
            return int(line.split()[1])
    raise AssertionError("no rchar")


def test_the_size_of_the_store_costs_neither_the_start_nor_memory(make_server):
    server = make_server()
    with server:
        pass
    deep = large_store.fill(server.data, SESSIONS, STATEMENTS, SESSIONS)
    with server:
        assert server.get("/sessions?size=1").json["total"] == SESSIONS * 9 // 10
        assert server.get("/v1/batches?size=1").json["total"] == SESSIONS
        large_store.ask_both_ends(server, SESSIONS, deep, 7)
        # Lists as large as clients of Livy may ask for.
        assert len(server.get(f"/sessions?size={SESSIONS}").json["sessions"]) == 10_000
        assert len(server.get(f"/sessions/{SESSIONS - 1}/statements").json["statements"]) == 10_000
        if not harness.sanitizer():
            assert server.memory() < 80 << 20  # all rows are 100 MB and more
        assert server.session(kind="echo") == SESSIONS
    with server:
        # Header, schema, and what is open; a look at an index or two, not the rows.
        size = (server.data / "hearth.db").stat().st_size
        assert bytes_read(server) < size / 20
        assert server.get("/sessions/1").status == 200
