"""Two Sparks, and two Pythons, in one host: each is a kind of its own, by manifests alone."""

import json
import pathlib
import subprocess
import sys

import pytest

from harness import Server
from sparks import spark_homes, version_of

OPTIONS = {"driver_java_options": "-XX:TieredStopAtLevel=1"}
CONF = {"spark.ui.enabled": "false", "spark.master": "local[2]"}


def manifest(folder, stem, **members):
    (folder / "plugins.d").mkdir(exist_ok=True, parents=True)
    (folder / "plugins.d" / f"{stem}.json").write_text(json.dumps({"manifest_version": 1, **members}))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    homes = spark_homes()
    if len({version_of(home) for home in homes}) < 2:
        pytest.skip("one Spark is not two")
    new, old = homes[0], homes[-1]
    folder = tmp_path_factory.mktemp("two")
    other = folder / "other python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(other)], check=True)
    manifest(folder, "scala", config={**OPTIONS, "spark_home": str(new)})
    manifest(folder, "spark-old", name="scala", kinds={"spark": "spark-old"},
             config={**OPTIONS, "spark_home": str(old)})
    manifest(folder, "pyspark-old", name="pyspark", kinds={"pyspark": "pyspark-old", "spark": "spark-old"},
             defaults={"conf": {"spark.hearth.test": "of the old"}}, limits={"sessions": 1})
    manifest(folder, "pyspark", config={"python": sys.executable})
    manifest(folder, "pyspark-env", name="pyspark", kinds={"pyspark": "pyspark-env"},
             config={"python": str(other / "bin" / "python")})
    manifest(folder, "sql", name="sql")
    manifest(folder, "sql-old", name="sql", kinds={"sql": "sql-old", "spark": "spark-old"})
    with Server(folder, {"session.close_time": "15s"}, env={"SPARK_HOME": str(new)}) as started:
        yield started


def test_two_sparks_serve_all_their_languages_side_by_side(server):
    new, old = version_of(spark_homes()[0]), version_of(spark_homes()[-1])
    first = server.session(kind="pyspark", conf=CONF)
    second = server.session(kind="pyspark-old", conf=CONF)
    for session, end, version in ((first, "", new), (second, "-old", old), (first, "", new)):
        assert server.text(session, "spark.version").strip("'") == version
        assert version in server.text(session, "spark.version", kind="spark" + end)
        server.run(session, "spark.range(7).createOrReplaceTempView('v')")
        data = server.output(session, "select count(*) as n from v", kind="sql" + end)
        assert "7" in json.dumps(data)
        assert server.view(session)["sparkVersion"] == version
    assert server.text(second, "spark.conf.get('spark.hearth.test')").strip("'") == "of the old"
    assert server.view(second)["plugin"].startswith("pyspark-old ")
    full = server.post("/v1/sessions", {"kind": "pyspark-old"})
    assert full.status == 429 and "limits.sessions of plugin pyspark-old" in full.json["detail"]
    server.delete(f"/sessions/{second}")
    again = server.session(kind="pyspark-old", conf=CONF)
    server.delete(f"/sessions/{again}")


def test_two_python_environments_serve_side_by_side_on_one_spark(server):
    session = server.session(kind="pyspark-env", conf=CONF)
    home = pathlib.Path(server.text(session, "import sys; sys.prefix").strip("'"))
    assert home.name == "other python"
    # Both in one session, on one context.
    server.run(session, "spark.range(5).createOrReplaceTempView('of_one')")
    code = "import sys; (sys.prefix, spark.table('of_one').count())"
    assert "other python" not in server.text(session, code, kind="pyspark")
    assert server.text(session, code, kind="pyspark").endswith(", 5)")
    assert "other python" in server.text(session, code)
    server.delete(f"/sessions/{session}")
