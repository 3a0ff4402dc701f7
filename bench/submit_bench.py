#!/usr/bin/env python3
"""What it saves to skip Spark's launcher, as a ratio of one run.

    SPARK_HOME=... bench/submit_bench.py [--build build/release] [--rounds 7]

Runs an application that starts no Spark (tests/spark/batches/Hello.java) by bin/spark-submit and by the command
that batches and sessions use, in turn, and prints medians of wall and processor time. Python's standard library only.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(command, env):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert b"hello x" in done.stdout, done
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--build", default=ROOT / "build" / "release")
    arguments.add_argument("--rounds", type=int, default=7)
    options = arguments.parse_args()
    home = os.environ.get("SPARK_HOME") or sys.exit("set SPARK_HOME")
    with tempfile.TemporaryDirectory() as folder:
        source = ROOT / "tests" / "spark" / "batches" / "Hello.java"
        subprocess.run(["javac", "-d", folder, str(source)], check=True)
        jar = f"{folder}/hello.jar"
        subprocess.run(["jar", "--create", "--file", jar, "-C", folder, "Hello.class"], check=True)
        properties = pathlib.Path(folder, "spark.properties")
        properties.write_text("spark.master=local[1]\n")
        env = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
        probe = subprocess.run([f"{options.build}/bin/submit_probe", home, str(properties), "Hello", "", jar, "x"],
                               env=env, capture_output=True, check=True).stdout.split(b"\0")[:-1]
        at = probe.index(b"\n")
        assert b"spark-submit" not in probe[0], "the command is not known: bin/spark-submit would be used"
        direct = probe[:at]
        direct_env = {**env, **dict(word.decode().split("=", 1) for word in probe[at + 1:])}
        script = [f"{home}/bin/spark-submit", "--properties-file", str(properties), "--class", "Hello", jar, "x"]
        times = {"spark-submit": [], "direct": []}
        for _ in range(options.rounds):
            times["spark-submit"].append(run(script, {**env, "SPARK_HOME": home}))
            times["direct"].append(run(direct, direct_env))
        medians = {name: [statistics.median(column) for column in zip(*samples)] for name, samples in times.items()}
        for name, (wall, cpu) in medians.items():
            print(f"{name:13} wall {wall:6.2f} s  cpu {cpu:6.2f} s")
        print("ratio         wall {:6.2f}    cpu {:6.2f}".format(
            *(a / b for a, b in zip(medians["direct"], medians["spark-submit"]))))


if __name__ == "__main__":
    main()
