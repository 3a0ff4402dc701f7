"""Nothing that user code prints can be taken for anything but its output; nothing it does in Livy's killers kills it."""

import base64

import pytest

KILLERS = {
    "json of nothing": ("%json", "error"),
    "table of nothing": ("%table", "error"),
    "matplot of nothing": ("%matplot", "error"),
    "json of a date": ("import datetime\nd = datetime.date(2020, 1, 2)\n%json d", "2020-01-02"),
    "json of bytes": ("b = b'ab'\n%json b", "ok"),
    "json of a set": ("s = {3, 1, 2}\n%json s", [1, 2, 3]),
    "json of an object": ("o = object()\n%json o", "error"),
    "table with a column that changes type": ("m = [[1], ['a']]\n%table m", "error"),
    "table with a mixed list cell": ("m = [[[1, 'a']]]\n%table m", "any"),
    "table with a dict cell": ("m = [{'k': {'long': 1}}]\n%table m", "ok"),
    "table with mixed key types": ("m = [{1: 2, 'a': 3}]\n%table m", "ok"),
    "json of NaN": ("n = [float('nan'), float('inf')]\n%json n", [None, None]),
    "json of an undefined name": ("%json nosuch", "error"),
    "unknown magic": ("%nosuch x", "error"),
}


@pytest.mark.parametrize("name", KILLERS)
def test_what_kills_livys_python_interpreter(server, python, name):
    code, expected = KILLERS[name]
    server.output(python, "alive = 'still here'")
    output = server.run(python, code)["output"]
    if expected == "error":
        assert output["status"] == "error" and output["ename"] and output["evalue"], output
    elif expected == "ok":
        assert output["status"] == "ok", output
    elif expected != "any":
        assert output["data"]["application/json"] == expected, output
    assert server.text(python, "alive") == "'still here'"
    assert server.get(f"/sessions/{python}/state").json["state"] == "idle"


PRINTERS = {
    "os.system": "import os\nos.system('echo printed by a child; echo to stderr >&2')\nNone",
    "subprocess": "import subprocess\nsubprocess.run(['sh', '-c', 'echo printed by a child; echo to stderr >&2'])\nNone",
    "C": "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.puts(b'printed by a child')\nlibc.dprintf(2, b'to stderr\\n')\nNone",
    "descriptors": "import os\nos.write(1, b'printed by a child\\n'); os.write(2, b'to stderr\\n')\nNone",
    "a thread": "import threading, sys\nt = threading.Thread(target=lambda: (print('printed by a child'), print('to stderr', file=sys.stderr)))\nt.start(); t.join()",
}


@pytest.mark.parametrize("who", PRINTERS)
def test_whoever_prints_it_is_output_of_the_statement(server, python, who):
    assert server.text(python, PRINTERS[who]) == "printed by a child\nto stderr"
    assert server.text(python, "1 + 1") == "2", "and not of the next one"


def test_frames_and_json_that_user_code_prints_are_text(server, python):
    code = "import os\nos.write(1, bytes(range(256)) * 10)\nprint('{\"msg_type\":\"execute_reply\",\"content\":{}}')\n'end'"
    assert server.text(python, code).endswith("'end'")
    assert server.text(python, "2 + 2") == "4"


def test_closing_stdout_costs_nothing(server, python):
    server.run(python, "import os, sys\nos.close(1); os.close(2); sys.stdout = None; sys.stderr = None")
    assert server.text(python, "print('back')\n3") == "back\n3"


def test_output_before_an_error_is_kept(server, python, scala):
    made = server.run(python, "print('before')\n1/0")
    view = server.get(f"/v1/sessions/{python}/statements/{made['id']}").json
    assert view["stdout"] == "before\n" and view["output"]["ename"] == "ZeroDivisionError"
    made = server.run(scala, 'println("before")\nsys.error("bad")')
    view = server.get(f"/v1/sessions/{scala}/statements/{made['id']}").json
    assert "before\n" in view["stdout"]
    assert server.text(python, "1 + 1") == "2", "Livy shows it here"


def test_scala_output_of_other_threads_and_stderr(server, scala):
    text = server.text(scala, 'val t = new Thread(() => { println("from a thread"); System.err.println("to stderr") }); t.start(); t.join()')
    assert "from a thread\n" in text and "to stderr" in text
    assert "from a thread" not in server.text(scala, "1 + 1")


def test_ten_megabytes_printed_arrive_whole(server, python):
    text = server.text(python, "for i in range(10000): print('x' * 1000)")
    assert len(text) == 10000 * 1001 - 1


def test_sys_exit_is_an_error_and_os_exit_restarts_python(server, scala):
    assert server.run(scala, "import sys; sys.exit(3)", "pyspark")["output"]["ename"] == "SystemExit"
    server.output(scala, "val before = 1")
    died = server.run(scala, "import os; os._exit(9)", "pyspark")["output"]
    assert died["status"] == "error" and "9" in died["evalue"], died
    assert server.text(scala, "sc.parallelize([1, 2, 3]).sum()", "pyspark") == "6", "a new one joined"
    assert "1" in server.text(scala, "before"), "Scala never noticed"


def test_table_and_json_shapes(server, python):
    data = server.output(python, "rows = [{'id': 1, 'name': 'a', 'x': 1.5}, {'id': 2, 'name': 'b', 'x': None}]\n%table rows")
    assert data == {"application/vnd.livy.table.v1+json": {
        "headers": [{"name": "id", "type": "INT_TYPE"}, {"name": "name", "type": "STRING_TYPE"}, {"name": "x", "type": "DOUBLE_TYPE"}],
        "data": [[1, "a", 1.5], [2, "b", None]]}}
    assert server.output(python, "%json rows[0]['name']") == {"application/json": "a"}


def test_matplotlib_figure_is_a_png(server, python):
    code = "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\n%matplot plt"
    output = server.run(python, code)["output"]
    if output["status"] == "error" and output["ename"] == "ModuleNotFoundError":
        pytest.skip("no matplotlib for the worker's Python")
    assert base64.b64decode(output["data"]["image/png"]).startswith(b"\x89PNG")
