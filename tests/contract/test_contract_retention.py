"""What has ended goes by the bounds that are configured, and nothing else does."""

import random
import sqlite3

import large_store

SOON = {"retention.interval": "50ms", "log.level": "info"}


def ids(server, face="/v1/sessions?deleted=true&size=10000"):
    return [view["id"] for view in server.get(face).json["sessions"]]


def test_of_too_many_ended_sessions_the_newest_stay_with_all_they_have(make_server):
    server = make_server({**SOON, "retention.sessions": "2"})
    with server:
        lives = server.session(kind="echo", name="lives")
        ended = [server.session(kind="echo") for _ in range(6)]
        for session in ended:
            server.run(session, "print out\n")
            server.delete(f"/sessions/{session}")
        server.until("four are gone", lambda: len(ids(server)) == 3)
        assert ids(server) == [lives, *ended[-2:]]
        for session in ended[:-2]:
            for path in ("", "/statements", "/statements/0", "/log"):
                assert server.get(f"/v1/sessions/{session}{path}").status == 404
            assert not (server.data / "sessions" / str(session)).exists()
        for session in ended[-2:]:
            assert server.get(f"/v1/sessions/{session}/statements").json["total"] == 1
            assert server.get(f"/v1/sessions/{session}/log").status == 200
        assert server.text(lives, "alive") == "alive"
        server.kill()
        server.start()
        # No number comes again, and what a kill -9 has left behind goes.
        (server.data / "sessions" / str(ended[0])).mkdir()
        (server.data / "sessions" / str(ended[0]) / "session.log").write_text("old")
        server.kill()
        server.start()
        assert server.session(kind="echo") > ended[-1]
        server.until("the folder is gone", lambda: not (server.data / "sessions" / str(ended[0])).exists())
        log = server.log.read_text()
        assert "retention: removed" in log and "belonged to nothing" in log


def test_ended_sessions_go_by_age_and_batches_too(make_server):
    server = make_server({"retention.age": "1h", **SOON})
    with server:
        old = server.session(kind="echo")
        new = server.session(kind="echo")
        for session in (old, new):
            server.run(session, "1")
            server.request("POST", f"/sessions/{session}/stop")
    with sqlite3.connect(server.data / "hearth.db") as database:
        database.execute("UPDATE sessions SET ended = ended - 3601 * 1000 WHERE id = ?", (old,))
        database.execute("INSERT INTO batches (id, name, owner, proxy_user, state, reason, request, info, tag, folder,"
                         " idempotency_key, request_digest, ending, created, submitted, state_since, ended, deleted)"
                         " VALUES (0, '', '', '', 'success', '', '{}', '', '', '', '', '', '', 1, 1, 1, 1, 0)")
    database.close()
    (server.data / "batches" / "0").mkdir(parents=True)
    with server:
        server.until("the old ones are gone", lambda: ids(server) == [new] and not (server.data / "batches" / "0").exists())
        assert server.get("/v1/batches").json["total"] == 0
        assert server.get(f"/sessions/{new}/statements/0").status == 200


def test_the_oldest_statements_of_a_live_session_go_but_none_that_is_open(make_server):
    with make_server({"retention.statements": "5", "statement.cached": "2", "statement.output_bytes": "10"}) as server:
        made = server.session(kind="echo")
        for number in range(20):
            assert server.text(made, str(number)) == str(number)
        server.run(made, "print " + "x" * 100 + "\n")
        outputs = server.data / "sessions" / str(made) / "output"
        assert list(outputs.iterdir())
        # What runs holds up its own removal and that of all behind it.
        running = server.post(f"/sessions/{made}/statements", {"code": "hang"}).json["id"]
        waiting = [server.post(f"/sessions/{made}/statements", {"code": str(i)}).json["id"] for i in range(12)]
        listed = server.get(f"/sessions/{made}/statements").json
        assert running in [one["id"] for one in listed["statements"]]
        server.post(f"/sessions/{made}/statements/{running}/cancel")
        for statement in waiting:
            view = server.get(f"/sessions/{made}/statements/{statement}?wait=60s")
            assert view.status == 404 or view.json["state"] == "available", view  # the first ones may be gone
        listed = server.get(f"/sessions/{made}/statements").json
        kept = [one["id"] for one in listed["statements"]]
        assert kept == waiting[-5:] and listed["total_statements"] == 5
        assert server.get(f"/sessions/{made}/statements?from=3&size=10").json["statements"][0]["id"] == waiting[-2]
        assert server.get(f"/sessions/{made}/statements/0").status == 404
        assert server.get(f"/sessions/{made}/statements/{running}").status == 404
        assert not list(outputs.iterdir())
        assert server.text(made, "next") == "next"
        server.request("POST", f"/sessions/{made}/stop")
        assert server.get(f"/sessions/{made}/statements").json["total_statements"] == 5


def test_kill_9_in_the_midst_of_it_leaves_nothing_half_for_ever(make_server):
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    sessions, kept = 400, 10
    server = make_server({"retention.interval": "10ms", "retention.sessions": str(kept)})
    with server:
        pass
    large_store.fill(server.data, sessions, sessions * 20, 0)
    for session in range(sessions):
        outputs = server.data / "sessions" / str(session) / "output"
        outputs.mkdir(parents=True)
        for number in range(5):
            (outputs / f"{number}.stdout").write_text("out")
    # All ended at once: those with the highest numbers stay.
    with server:
        left = sessions
        while left > sessions // 2:
            fewer = left - chance.randrange(1, 40)
            server.until(f"some are gone (seed {seed})", lambda: len(ids(server)) <= fewer)
            server.kill()
            server.start()
            left = len(ids(server))
        server.until(f"the rest is gone (seed {seed})", lambda: len(ids(server)) == kept)
        newest = list(range(sessions - kept, sessions))
        folders = server.data / "sessions"
        server.until(f"the folders are gone (seed {seed})",
                     lambda: sorted(int(path.name) for path in folders.iterdir()) == newest)
        assert ids(server) == newest
        for session in newest:
            assert len(list((folders / str(session) / "output").iterdir())) == 5
    with sqlite3.connect(server.data / "hearth.db") as database:
        owners = {row[0] for row in database.execute("SELECT DISTINCT session FROM statements")}
    database.close()
    assert owners == set(newest), f"seed {seed}"
