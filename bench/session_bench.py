#!/usr/bin/env python3
"""Sessions on real Spark: what Hearth adds to what Spark itself costs, as ratios of one run.

    SPARK_HOME=... bench/session_bench.py [--build build/release] [--rounds 5]

Prints, with medians of the same run:
  1. round trip of `1+1` in pyspark over REST (POST ?wait=) against the Python worker's own evaluation of it,
     asked over the worker's protocol without Hearth
  2. session start (POST until idle, and until the first result) against `spark-submit` of an empty application
     and against `spark-submit` of one that only makes a SparkContext
  3. resident memory of the idle host, and with one idle session
Python's standard library only.
"""

import argparse
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "plugins" / "pyspark" / "tests")]

from harness import Server  # noqa: E402


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def spread(samples):
    ordered = sorted(samples)
    return {"median": statistics.median(ordered), "min": ordered[0], "p95": ordered[int(len(ordered) * 0.95) - 1]}


def show(name, samples, unit="ms", scale=1000):
    found = spread(samples)
    print(f"  {name:58} median {found['median'] * scale:9.2f} {unit}   min {found['min'] * scale:9.2f}   n {len(samples)}")
    return found["median"]


def round_trips(server, session, count):
    """POST of `1+1` with ?wait= on one kept connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = json.dumps({"code": "1+1"})
    samples = []
    for index in range(count + 20):
        begin = time.perf_counter()
        connection.request("POST", f"/sessions/{session}/statements?wait=30s", body)
        answer = json.loads(connection.getresponse().read())
        took = time.perf_counter() - begin
        assert answer["output"]["data"]["text/plain"] == "2", answer
        if index >= 20:
            samples.append(took)
    connection.close()
    return samples


def worker_alone(count):
    """The same statement over the worker's own protocol."""
    from fake_driver import Worker
    samples = []
    worker = Worker()
    try:
        for index in range(count + 20):
            begin = time.perf_counter()
            text = worker.text("1+1")
            took = time.perf_counter() - begin
            assert text.strip() == "2", text
            if index >= 20:
                samples.append(took)
    finally:
        worker.close()
    return samples


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=str(ROOT / "build" / "release"))
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    os.environ["HEARTH_BUILD"] = str(pathlib.Path(options.build).resolve())
    home = os.environ.get("SPARK_HOME")
    if not home:
        sys.exit("set SPARK_HOME")
    conf = {"spark.ui.enabled": "false", "spark.master": "local[2]"}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hearth-bench-"))
    empty = folder / "empty.py"
    empty.write_text("")
    context = folder / "context.py"
    context.write_text("from pyspark import SparkContext\nSparkContext().stop()\n")
    submit = [home + "/bin/spark-submit", "--master", "local[2]", "--conf", "spark.ui.enabled=false"]

    def submitted(script):
        subprocess.run([*submit, str(script)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    samples = {name: [] for name in ("empty", "context", "spark idle", "spark result", "pyspark idle", "pyspark result")}
    with Server(folder / "server", env={"SPARK_HOME": home}) as server:
        idle_host = server.memory()
        for _ in range(options.rounds):  # in turn, so that drift of the machine hits all alike
            samples["empty"].append(timed(lambda: submitted(empty)))
            samples["context"].append(timed(lambda: submitted(context)))
            for kind in ("spark", "pyspark"):
                begin = time.perf_counter()
                session = server.session(kind=kind, conf=conf)
                samples[kind + " idle"].append(time.perf_counter() - begin)
                server.text(session, "1+1")
                samples[kind + " result"].append(time.perf_counter() - begin)
                server.delete(f"/sessions/{session}")
        session = server.session(kind="pyspark", conf=conf)
        with_session = server.memory()
        over_rest = round_trips(server, session, 300)
        alone = worker_alone(300)

    print(f"Spark {home}, {os.cpu_count()} CPUs")
    print("1. round trip of 1+1 in pyspark")
    rest = show("over REST, POST ?wait=", over_rest)
    worker = show("the worker alone, over its own protocol", alone)
    print(f"  ratio {rest / worker:.1f}, difference {(rest - worker) * 1000:.2f} ms")
    print("2. session start")
    medians = {name: show(name, values, "s", 1) for name, values in samples.items()}
    for kind in ("spark", "pyspark"):
        for what in ("idle", "result"):
            name = f"{kind} {what}"
            print(f"  {name} / empty {medians[name] / medians['empty']:.2f}, / context {medians[name] / medians['context']:.2f}")
    print("3. resident memory of the host")
    print(f"  idle {idle_host / 2**20:.1f} MiB, with one idle session {with_session / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
