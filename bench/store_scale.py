#!/usr/bin/env python3
"""A store of 100,000 sessions and 1,000,000 statements: how soon after its start the host answers, and its memory.

    bench/store_scale.py [--build build/release] [--sessions 100000] [--statements 1000000] [--rounds 3] [--data DIR]

Fills a store by SQL, starts the real server on it, and measures the time from exec to the first answer of GET /sessions,
then lists and statements from both ends, and what is resident afterwards. Needs the targets hearth and echo. `--data`
keeps the store for the next run.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import large_store  # noqa: E402
from harness import Server, build_dir  # noqa: E402


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=str(ROOT / "build" / "release"))
    options.add_argument("--sessions", type=int, default=100_000)
    options.add_argument("--statements", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--data", type=pathlib.Path)
    options = options.parse_args()
    os.environ["HEARTH_BUILD"] = str(pathlib.Path(options.build).resolve())
    folder = options.data or pathlib.Path(tempfile.mkdtemp(prefix="hearth-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    plugins = folder / "plugins"
    if not plugins.is_dir():
        plugins.mkdir(mode=0o700)
        shutil.copy(build_dir() / "plugins" / "echo" / "echo.so", plugins)
    server = Server(folder, {"log.access": "false"}, plugins=plugins)
    deep = options.statements // 10
    if not (server.data / "hearth.db").exists():
        with server:
            pass
        deep = large_store.fill(server.data, options.sessions, options.statements, options.sessions)
    size = (server.data / "hearth.db").stat().st_size
    print(f"{options.sessions} sessions and as many batches, {options.statements} statements: {size / 2**20:.0f} MiB")
    for _ in range(options.rounds):
        begin = time.monotonic()
        with server:
            listening = time.monotonic() - begin
            assert server.get("/sessions").json["total"] == options.sessions * 9 // 10
            first = time.monotonic() - begin
            assert server.get("/v1/sessions").status == 200
            v1 = time.monotonic() - begin
            fresh = server.memory()
            begin = time.monotonic()
            slowest = large_store.ask_both_ends(server, options.sessions, deep, 13)
            took = time.monotonic() - begin
            print(f"listening {listening:.3f} s after exec, /sessions {first:.3f} s, /v1/sessions {v1:.3f} s; resident "
                  f"{fresh / 2**20:.1f} MiB, {server.memory() / 2**20:.1f} MiB after {13 * len(slowest)} requests in {took:.1f} s")
            for path, seconds in sorted(slowest.items(), key=lambda item: -item[1])[:6]:
                print(f"  {seconds * 1000:7.1f} ms  {path}")
    if not options.data:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
