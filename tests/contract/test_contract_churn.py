"""A day of sessions in a minute: what comes and goes leaves nothing behind."""

import os
import pathlib

from contract_wire import in_parallel

ROUNDS = 6
SESSIONS = 240  # a round; all of them together are one a minute of a day


def standing(server):
    """Threads, descriptors, resident bytes; files and bytes on disk."""
    files = [path for path in server.data.rglob("*") if path.is_file()]
    return {"threads": server.threads(),
            "descriptors": len(os.listdir(f"/proc/{server.process.pid}/fd")),
            "memory": server.memory(),
            "files": len(files),
            "disk": sum(path.stat().st_size for path in files)}


def live_one(server, index):
    session = server.session(kind="echo", name=f"name {index}")
    for code in ("1", f"print {'x' * 500}", "fail", "lines 20"):
        server.run(session, code)
    hanging = server.post(f"/sessions/{session}/statements", {"code": "slow 600"}).json["id"]
    server.post(f"/sessions/{session}/statements/{hanging}/cancel")
    server.finish(session, hanging)
    server.get(f"/v1/sessions/{session}/statements/{hanging}")
    if index % 3 == 0:
        assert server.delete(f"/sessions/{session}").status == 200
    elif index % 3 == 1:
        assert server.request("POST", f"/sessions/{session}/stop").status == 204
    return session  # every third ends by its idle time


def test_a_day_of_sessions_leaves_no_thread_descriptor_memory_or_file_behind(make_server):
    settings = {"session.idle_time": "4s", "retention.age": "2s", "retention.interval": "1s", "log.access": "false"}
    with make_server(settings) as server:
        seen = []
        for turn in range(ROUNDS):
            in_parallel(8, lambda lane: [live_one(server, lane + 8 * i) for i in range(SESSIONS // 8)])
            server.until("all have ended and are removed", lambda: server.get(
                "/v1/sessions?deleted=true&size=1").json["total"] == 0, 60)
            folders = pathlib.Path(server.data / "sessions")
            server.until("their folders are gone", lambda: not list(folders.iterdir()), 60)
            seen.append(standing(server))
        early, late = seen[1], seen[-1]  # the first one is for caches and pools to fill
        assert late["threads"] <= early["threads"] + 1, seen
        assert late["descriptors"] <= early["descriptors"] + 4, seen
        assert late["memory"] <= early["memory"] * 1.2 + (8 << 20), seen
        assert late["files"] <= early["files"], seen
        assert late["disk"] <= early["disk"] * 1.5 + (4 << 20), seen
        print(early, late)
