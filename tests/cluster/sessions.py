"""What tests of sessions on clusters share: servers that use one, and code that every session must run."""

import json
import pathlib
import subprocess
import time

from harness import Server
from sparks import spark_homes

# On a busy machine a driver in a container takes its time.
START = 240

CASE_CLASS = """case class Point(x: Int, y: Int)
val points = sc.parallelize(1 to 100, 2).map(i => Point(i, 2 * i))
points.filter(_.x > 98).map(_.y).collect().toList"""
DATASET = "points.toDS().filter(_.y > 196).map(p => p.x + p.y).collect().toList"
PYTHON = """offset = 5
def shifted(x):
    return x + offset
sc.parallelize(range(100), 2).map(shifted).sum()"""


def cluster_server(folder, spark_home, env, master, deploy_mode, settings=None, **config):
    """A server whose sessions run on the cluster that `env` names."""
    folder = pathlib.Path(folder)
    (folder / "plugins.d").mkdir(parents=True)
    (folder / "plugins.d" / "scala.json").write_text(json.dumps({
        "manifest_version": 1, "name": "scala",
        "config": {"spark_home": str(spark_home), "master": master, "deploy_mode": deploy_mode, **config}}))
    kept = {key: value for key, value in env.items() if key not in ("SPARK_HOME",)}
    return Server(folder, {
        "session.launch_time": f"{START}s", "session.close_time": "30s", "cancel.grace": "30s",
        "driver.environment": "SPARK_SUBMIT_OPTS,SPARK_LOCAL_IP,SPARK_LOCAL_HOSTNAME", **(settings or {})},
        env={**kept, "SPARK_HOME": str(spark_home)})


def oldest_spark():
    return spark_homes()[-1]


def app(yarn, wanted):
    """An application as the ResourceManager shows it."""
    [found] = [one for one in yarn.apps() if one["id"] == wanted]
    return found


def answers(server, session):
    """Statements of both languages, with code of the REPL's on executors."""
    assert server.text(session, CASE_CLASS, "spark", START).endswith("List(198, 200)\n")
    assert server.text(session, DATASET, "spark", START).endswith("List(297, 300)\n")
    assert server.text(session, PYTHON, "pyspark", START) == "5450"
    server.text(session, "spark.range(7).createOrReplaceTempView('seven')", "pyspark", START)
    assert server.text(session, 'spark.table("seven").count()', "spark", START).endswith("Long = 7\n")


def until_printed(server, session, statement, text):
    path = f"/v1/sessions/{session}/statements/{statement}/output?stream=stdout"
    server.until(f"{text!r} is printed", lambda: text in server.get(path).json["text"], START)


def cancels(server, session, code, kind):
    """The code prints `started` and then runs for ever."""
    statement = server.submit(session, code, kind)
    until_printed(server, session, statement, "started")
    begun = time.monotonic()
    assert server.post(f"/sessions/{session}/statements/{statement}/cancel").status == 200
    assert server.finish(session, statement)["state"] == "cancelled"
    assert time.monotonic() - begun < 29  # by its own interrupt, not by a restart of the interpreter


def secret_of(server, session):
    """The link's secret, from the file that only the host and the driver have."""
    return json.loads((server.data / f"sessions/{session}/work/link.json").read_text())["secret"]


def seen_in_processes(secret):
    """Where in argument lists and environments of all processes the secret is."""
    wanted = secret.encode()
    places = [line for line in subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, check=True)
              .stdout.splitlines() if wanted in line]
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        for name in ("cmdline", "environ"):
            try:
                if wanted in (entry / name).read_bytes():
                    places.append(f"{entry}/{name}")
            except OSError:
                continue
    return places


def seen_in_files(secret, *folders, but=()):
    """Files below the folders that hold the secret, other than those named so."""
    wanted = secret.encode()
    found = []
    for folder in folders:
        for path in pathlib.Path(folder).rglob("*"):
            try:
                if path.is_file() and path.name not in but and wanted in path.read_bytes():
                    found.append(str(path))
            except OSError:
                continue
    return found
