"""sparkmagic from PyPI, unchanged: its kernels execute notebooks against the host."""

import json
import pathlib
import sys

import nbclient
import nbformat
import pytest
import sparkmagic
from conftest import serve

ANY_SPARK = True

PYSPARK = {
    "text": "words = sc.parallelize(['to', 'be', 'or', 'to'])\nprint(words.countByValue()['to'])\n'the value'",
    "error": "1/0",
    "after": "len('still here')",
    "view": "spark.createDataFrame([(1, 'Ålesund'), (2, None)], 'id int, name string').createOrReplaceTempView('cities')",
    "sql": "%%sql\nselect id, name from cities order by id",
    "sql kept": "%%sql -q -o kept\nselect id * 10 as ten from cities",
    "kept": "%%local\nprint(sorted(kept.ten))",
    "sql error": "%%sql\nselect nope from cities",
    "plot": "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\n%matplot plt",
    "json": "numbers = [1, 2]\n%json numbers",
    "sent": "%%send_to_spark -i local_text -t str -n sent_text",
    "sent, read": "print(sent_text)",
    "frame": "%%spark -o frame\nframe = spark.sql('select id from range(3)')",
    "frame, read": "%%local\nprint(list(frame.id))",
    "info": "%%info",
    "logs": "%%logs",
}
SPARK = {
    "text": 'val words = sc.parallelize(Seq("to", "be", "or", "to"))\nprintln(words.filter(_ == "to").count)',
    "error": 'sys.error("boom")',
    "view": 'Seq((1, "Ålesund"), (2, null)).toDF("id", "name").createOrReplaceTempView("cities")',
    "sql": "%%sql\nselect id, name from cities order by id",
    "table": '%%sql -q -o kept\nselect id * 10 as ten from cities',
    "kept": "%%local\nprint(sorted(kept.ten))",
    "info": "%%info",
}


@pytest.fixture
def server(spark_home, tmp_path_factory):
    """One of its own: %%cleanup ends all sessions that it finds, also those of other tests."""
    with serve(spark_home, tmp_path_factory) as running:
        yield running


def kernels(folder, server):
    """Where Jupyter finds sparkmagic's own kernel specs, with this Python and this server in them."""
    for name in ("pysparkkernel", "sparkkernel"):
        spec = json.loads((pathlib.Path(sparkmagic.__file__).parent / "kernels" / name / "kernel.json").read_text())
        spec["argv"][0] = sys.executable
        (folder / "kernels" / name).mkdir(parents=True)
        (folder / "kernels" / name / "kernel.json").write_text(json.dumps(spec))
    access = {"username": "", "password": "", "url": f"http://127.0.0.1:{server.port}", "auth": "None"}
    (folder / "config.json").write_text(json.dumps({
        "kernel_python_credentials": access, "kernel_scala_credentials": access,
        "session_configs": {"conf": {"spark.ui.enabled": "false", "spark.master": "local[2]"}, "driverMemory": "800M"},
        "livy_session_startup_timeout_seconds": 240, "wait_for_idle_timeout_seconds": 60,
        "use_auto_viz": False, "retry_seconds_to_sleep_list": [0.1, 0.2], "heartbeat_refresh_seconds": 2}))


def outputs_of(server, folder, kernel, cells, end, monkeypatch):
    """Executes the cells and then `end`; gives each one's outputs as text, without the progress bars."""
    kernels(folder, server)
    for name in ("JUPYTER_PATH", "SPARKMAGIC_CONF_DIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(folder))
    cells = {"local": "%%local\nlocal_text = 'from the notebook'", **cells, **end}
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells.values()])
    nbclient.NotebookClient(book, kernel_name=kernel, allow_errors=True, timeout=280, startup_timeout=120).execute()
    nbformat.validate(book)
    shown = {}
    for name, cell in zip(cells, book.cells):
        parts = []
        for output in cell.outputs:
            if output.output_type == "stream":
                parts.append(output.text)
            elif output.output_type == "error":
                parts.append(f"{output.ename}: {output.evalue}")
            elif "application/vnd.jupyter.widget-view+json" not in output.data:
                parts.extend(f"[{mime}] {value}" for mime, value in sorted(output.data.items()))
        shown[name] = "\n".join(parts)
    return shown


def sessions(server):
    return [(view["id"], view["kind"]) for view in server.get("/sessions").json["sessions"]]


def test_the_pyspark_kernel_executes_a_notebook(server, tmp_path, monkeypatch):
    shown = outputs_of(server, tmp_path, "pysparkkernel", PYSPARK, {"delete": "%%cleanup -f"}, monkeypatch)
    assert "SparkSession available as 'spark'" in shown["text"]
    assert shown["text"].endswith("2\n'the value'"), shown["text"]
    assert "division by zero" in shown["error"] and "ZeroDivisionError" in shown["error"]
    assert shown["after"] == "10"
    assert shown["view"] == ""
    assert "Ålesund" in shown["sql"] and "[text/" in shown["sql"], shown["sql"]
    assert shown["sql kept"] == "" and shown["kept"] == "[10, 20]\n"
    assert "nope" in shown["sql error"]
    assert "[image/png] iVBOR" in shown["plot"], shown["plot"]
    assert shown["json"].strip().endswith("[1, 2]")
    assert shown["sent, read"].strip() == "from the notebook"
    assert shown["frame, read"] == "[0, 1, 2]\n"
    assert "pyspark" in shown["info"] and "idle" in shown["info"], shown["info"]
    assert "stdout" in shown["logs"] or "hearth" in shown["logs"] or "INFO" in shown["logs"], shown["logs"]
    assert sessions(server) == [], "%%cleanup has ended its session"


def test_the_spark_kernel_executes_a_notebook(server, tmp_path, monkeypatch):
    shown = outputs_of(server, tmp_path, "sparkkernel", SPARK, {}, monkeypatch)
    assert "words: org.apache.spark.rdd.RDD[String]" in shown["text"] and shown["text"].endswith("2\n"), shown["text"]
    assert "boom" in shown["error"]
    assert "Ålesund" in shown["sql"], shown["sql"]
    assert shown["kept"] == "[10, 20]\n"
    assert "idle" in shown["info"], shown["info"]
    assert sessions(server) == [], "a kernel that is shut down ends its session"
