#!/usr/bin/env python3
"""GET of a finished statement, against the same bytes from a bare stock Poco handler, with wrk.

    bench/get_bench.py [--build build/release] [--rounds 5] [--seconds 3]

Both servers run at once and are loaded in turn, so that the machine's drift hits both alike. Needs wrk, and the
targets hearth, echoc and poco_bare. Prints requests per second, p99, and requests per CPU second of the server.
"""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import Server, build_dir  # noqa: E402


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(url, pid, connections, seconds):
    before = cpu_seconds(pid)
    report = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url],
                            check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in report, report
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", report)[1])
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", report).groups()
    total = int(re.search(r"(\d+) requests in", report)[1])
    return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit], total / max(cpu_seconds(pid) - before, 0.01)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=str(ROOT / "build" / "release"))
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options = options.parse_args()
    os.environ["HEARTH_BUILD"] = str(pathlib.Path(options.build).resolve())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hearth-bench-"))
    plugins = folder / "plugins"
    plugins.mkdir(mode=0o700)
    shutil.copy(build_dir() / "plugins" / "echoc" / "echoc.so", plugins)
    with Server(folder, {"log.access": "false"}, plugins=plugins) as server:
        session = server.session(kind="echoc")
        server.run(session, "1+1")
        path = f"/sessions/{session}/statements/0"
        body = server.get(path).body.decode()
        bare = subprocess.Popen([str(build_dir() / "bin" / "poco_bare"), body],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(bare.stdout.readline())
        print(f"{len(body)} bytes of body, {options.rounds} rounds of {options.seconds} s, medians")
        for connections in (1, 8, 64):
            rows = {"bare Poco": [], "Hearth": []}
            for _ in range(options.rounds):
                rows["bare Poco"].append(load(f"http://127.0.0.1:{port}/", bare.pid, connections, options.seconds))
                rows["Hearth"].append(load(f"http://127.0.0.1:{server.port}{path}", server.process.pid, connections, options.seconds))
            medians = {name: [statistics.median(column) for column in zip(*found)] for name, found in rows.items()}
            for name, (rate, p99, per_cpu) in medians.items():
                print(f"  {connections:3} connections  {name:10} {rate:9.0f} req/s   p99 {p99:7.2f} ms   {per_cpu:9.0f} req per CPU second")
            ratio = [statistics.median(h[i] / b[i] for h, b in zip(rows["Hearth"], rows["bare Poco"])) for i in (0, 2)]
            print(f"  {connections:3} connections  Hearth / bare Poco: {ratio[0]:.2f} in req/s, {ratio[1]:.2f} per CPU second")
        bare.stdin.close()
        bare.wait(10)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
