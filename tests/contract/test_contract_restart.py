"""What was answered survives the server's end, in order or by kill -9, and its next start."""

import http.client
import os
import sqlite3
import subprocess
import threading

import pytest

import harness
from contract_wire import in_parallel


def post(server, session, code):
    answer = server.post(f"/sessions/{session}/statements", {"code": code})
    assert answer.status == 201
    return answer.json["id"]


def end_by(server, how):
    if how == "SIGTERM":
        assert server.stop() == 0
    else:
        server.kill()
    server.start()


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9"])
def test_ended_sessions_their_statements_and_logs_are_readable_after(make_server, how):
    with make_server() as server:
        stopped = server.session(kind="echo", name="kept", conf={"a": "é"}, driverMemory="1g")
        for code in ("1", "print é\n", "fail", "x" * 200_000):
            server.run(stopped, code)
        cancelled = post(server, stopped, "hang")
        server.post(f"/sessions/{stopped}/statements/{cancelled}/cancel")
        server.finish(stopped, cancelled)
        server.request("POST", f"/sessions/{stopped}/stop")
        deleted = server.session(kind="echo")
        server.run(deleted, "gone")
        server.delete(f"/sessions/{deleted}")
        paths = [f"/sessions/{stopped}", "/sessions/kept", f"/sessions/{stopped}/state", f"/sessions/{stopped}/log",
                 f"/sessions/{stopped}/statements", f"/sessions/{stopped}/statements/0", "/sessions",
                 f"/sessions/{stopped}/statements?order=desc&size=2", f"/v1/sessions/{stopped}",
                 f"/v1/sessions/{stopped}/statements", f"/v1/sessions/{deleted}", "/v1/sessions?deleted=true",
                 f"/v1/sessions/{deleted}/statements/0", f"/v1/sessions/{deleted}/log"]
        before = [server.get(path) for path in paths]
        assert {answer.status for answer in before} == {200}
        end_by(server, how)
        for path, answer in zip(paths, before):
            again = server.get(path)
            assert (again.status, again.body) == (200, answer.body), path
        assert server.get(f"/sessions/{deleted}").status == 404
        refused = server.post(f"/sessions/{stopped}/statements", {"code": "1"})
        assert refused.status == 400 and "Session is in state dead" in refused.json
        # It can still be deleted, and that lasts too.
        assert server.delete(f"/sessions/{stopped}").status == 200
        end_by(server, how)
        assert server.get(f"/sessions/{stopped}").status == 404
        assert server.get(f"/v1/sessions/{stopped}").json["deleted"] is True


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9"])
def test_ids_are_not_used_again(make_server, how):
    with make_server() as server:
        seen = [server.session(kind="echo") for _ in range(3)]
        server.delete(f"/sessions/{seen[-1]}")
        for _ in range(3):
            end_by(server, how)
            seen += [server.post("/sessions", {"kind": "echo"}).json["id"] for _ in range(20)]
        assert len(set(seen)) == len(seen) and seen == sorted(seen)


def test_after_kill_9_what_lived_is_dead_with_a_reason_and_nothing_stays_open(make_server):
    with make_server() as server:
        idle = server.session(kind="echo", name="idle one")
        server.run(idle, "result")
        busy = server.session(kind="echo", name="busy one")
        done = post(server, busy, "before")
        server.finish(busy, done)
        running, cancelling, waiting = post(server, busy, "hang"), None, post(server, busy, "never")
        other = server.session(kind="echo")
        cancelling = post(server, other, "hang")
        server.until("it runs", lambda: server.get(
            f"/sessions/{other}/statements/{cancelling}").json["state"] == "running")
        server.post(f"/sessions/{other}/statements/{cancelling}/cancel")
        end_by(server, "kill -9")
        for session in (idle, busy, other):
            view = server.get(f"/v1/sessions/{session}").json
            assert view["state"] == "dead" and "the host ended" in view["reason"] and view["ended"]
            assert view["deleted"] is False
            assert server.get(f"/sessions/{session}").json["state"] == "dead"
            assert not (server.data / "sessions" / str(session) / "work").exists()
        assert server.get("/sessions/idle%20one").json["id"] == idle
        assert server.get(f"/sessions/{idle}/statements/0").json["output"]["data"] == {"text/plain": "result"}
        assert server.get(f"/sessions/{busy}/statements/{done}").json["output"]["data"] == {"text/plain": "before"}
        for session, statement in ((busy, running), (busy, waiting), (other, cancelling)):
            view = server.get(f"/sessions/{session}/statements/{statement}?wait=20s").json
            assert view["state"] in ("available", "cancelled") and view["completed"] > 0 and view["progress"] == 1.0
            assert view["output"]["status"] == "error" and "the host ended" in view["output"]["evalue"]
        # The names are free again.
        assert server.settle(server.post("/sessions", {"kind": "echo", "name": "busy one"}).json["id"]) > other
        assert server.get("/sessions/busy%20one").json["state"] == "idle"


def test_everything_that_was_answered_before_kill_9_is_there_after(make_server):
    """Clients post as fast as they can; the server is killed under them; each 201 must have been the truth."""
    with make_server({"statement.queue": "100000"}) as server:
        sessions = [server.session(kind="echo") for _ in range(4)]
        accepted, finished = {}, {}

        def client(number):
            session = sessions[number % 4]
            for n in range(10_000):
                code = f"client {number} statement {n}"
                try:
                    answer = server.post(f"/sessions/{session}/statements?wait=20s", {"code": code}, timeout=20)
                except (OSError, http.client.HTTPException):  # the server is gone
                    return
                if answer.status != 201:
                    return
                accepted[session, answer.json["id"]] = code
                if answer.json["state"] == "available":
                    finished[session, answer.json["id"]] = answer.json

        threads = [threading.Thread(target=client, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        server.until("some are done", lambda: len(finished) > 200)
        server.kill()
        for thread in threads:
            thread.join()
        server.start()
        assert len(accepted) > 200
        found = {session: {view["id"]: view for view in server.get(f"/sessions/{session}/statements").json["statements"]}
                 for session in sessions}
        for (session, statement), code in accepted.items():
            assert found[session][statement]["code"] == code
        for (session, statement), view in finished.items():
            assert found[session][statement] == view


def test_sessions_that_are_made_while_the_server_is_killed_are_dead_come_up_or_never_were(make_server):
    for _ in range(3):
        with make_server({"session.limit": "5000"}) as server:
            made = []

            def client(_):
                try:
                    while True:
                        answer = server.post("/sessions", {"kind": "echo"}, timeout=20)
                        if answer.status != 201:
                            return
                        made.append(answer.json["id"])
                except (OSError, http.client.HTTPException):
                    return

            threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
            for thread in threads:
                thread.start()
            server.until("some are made", lambda: len(made) > 30)
            server.kill()
            for thread in threads:
                thread.join()
            server.start()
            page = server.get("/v1/sessions?size=10000").json["sessions"]
            assert set(made) <= {view["id"] for view in page}
            # Nothing had run in those that had not come up yet: they are started anew.
            assert {view["state"] for view in page} <= {"dead", "starting", "busy", "idle"}
            settled = {server.get(f"/v1/sessions/{view['id']}").json["state"] for view in page
                       if view["state"] == "dead" or server.settle(view["id"]) is not None}
            assert settled <= {"dead", "idle"}
            assert server.post("/sessions", {"kind": "echo"}).json["id"] > max(view["id"] for view in page)


def test_the_first_answer_after_kill_9_is_the_truth_already(make_server):
    with make_server() as server:
        made = [server.session(kind="echo") for _ in range(60)]
        in_parallel(60, lambda i: [post(server, made[i], "hang"), post(server, made[i], "never")])
        end_by(server, "kill -9")
        page = server.get("/v1/sessions?size=1000").json["sessions"]
        assert {view["state"] for view in page} == {"dead"}
        assert all(view["reason"] for view in page)


# ---- Files ------------------------------------------------------------------------------------------

def run_hearth(server, *more, timeout=60):
    """Starts `hearth serve` on the same folder; it is expected to end by itself."""
    command = [str(harness.build_dir() / "bin" / "hearth"), "serve", *more]
    for key, value in server.settings.items():
        command += ["--set", f"{key}={value}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=server.env)


def test_a_second_server_on_the_same_folder_refuses_and_the_first_goes_on(make_server):
    with make_server() as server:
        made = server.session(kind="echo")
        second = run_hearth(server)
        assert second.returncode == 1
        assert f"in use by another hearth (process {server.process.pid})" in second.stderr
        assert second.stdout == ""
        assert server.text(made, "alive") == "alive"
    third = make_server(folder=server.folder)
    with third:
        assert third.get(f"/sessions/{made}").json["state"] == "dead"


@pytest.mark.parametrize("damage", ["text", "cut", "zeroed", "newer"])
def test_a_store_that_cannot_be_read_is_left_as_it_is_and_told(make_server, damage):
    server = make_server()
    with server:
        server.run(server.session(kind="echo"), "1")
    file = server.data / "hearth.db"
    if damage == "text":
        file.write_text("this is no database, but somebody's text\n" * 100)
    elif damage == "cut":
        os.truncate(file, file.stat().st_size // 2 - 100)
    elif damage == "zeroed":
        content = bytearray(file.read_bytes())
        content[100:3000] = bytes(2900)
        file.write_bytes(content)
    else:
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA user_version = 1000")
        database.close()
    before = file.read_bytes()
    ended = run_hearth(server)
    assert ended.returncode == 1 and ended.stdout == ""
    assert str(file) in ended.stderr
    assert ("newer Hearth" if damage == "newer" else "left as it is") in ended.stderr
    assert file.read_bytes() == before


def test_one_bad_row_does_not_keep_the_server_from_starting(make_server):
    server = make_server()
    with server:
        first, second, third = (server.session(kind="echo") for _ in range(3))
        for session in (first, second, third):
            server.run(session, "1")
    with sqlite3.connect(server.data / "hearth.db") as database:
        database.execute("UPDATE sessions SET state = x'00ff', request = 5 WHERE id = ?", (second,))
        database.execute("UPDATE sessions SET request = '{broken', info = '[' WHERE id = ?", (first,))
    database.close()
    with server:
        assert server.get(f"/sessions/{third}").status == 200
        assert server.get(f"/sessions/{first}").status == 200  # what can be read of it
        assert server.get(f"/sessions/{second}").status in (404, 500, 507)
        assert third in [view["id"] for view in server.get("/sessions").json["sessions"]]
        assert server.text(server.session(kind="echo"), "alive") == "alive"


def test_a_folder_that_cannot_be_made_is_told(make_server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    ended = run_hearth(make_server(folder=tmp_path / "file"))
    assert ended.returncode == 1 and ended.stdout == "" and str(tmp_path / "file") in ended.stderr


def test_what_the_server_writes_is_the_users_alone(make_server):
    with make_server() as server:
        made = server.session(kind="echo")
        server.run(made, "1")
        assert server.data.stat().st_mode & 0o077 == 0
        assert (server.data / "hearth.db").stat().st_mode & 0o077 == 0
        assert (server.data / "sessions" / str(made)).stat().st_mode & 0o077 == 0
