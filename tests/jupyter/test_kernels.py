"""The same promises kept by ipykernel, IRkernel and bash_kernel."""

import base64
import pathlib
import time

import pytest

# What each kernel is asked: text, printed, error, the error's name.
PYTHON = ("6 * 7", "42", "print('hällo ✓ \U0001f600', end='')", "raise ValueError('no\\nway')", "ValueError")
R = ("6 * 7", "[1] 42", "cat('hällo ✓ \U0001f600')", "stop('no way')", "ERROR")
BASH = ("echo $((6 * 7))", "42", "printf 'hällo ✓ \U0001f600'", "exit_code_3() { return 3; }; exit_code_3", None)


@pytest.fixture(params=["python", "r", "bash"])
def any_kernel(request):
    return request.getfixturevalue(request.param), {"python": PYTHON, "r": R, "bash": BASH}[request.param]


def statement(server, session, code):
    made = server.post(f"/sessions/{session}/statements", {"code": code})
    assert made.status == 201, made
    return server.get(f"/v1/sessions/{session}/statements/{made.json['id']}?wait=60s", timeout=70).json


def kernels(server, session):
    """Processes whose folder is the session's."""
    work = str(server.data / "sessions" / str(session) / "work")
    return [p for p in server.children() if pathlib.Path(f"/proc/{p}/cwd").resolve().as_posix().startswith(work)]


def cancel(server, session, code, started):
    """Runs code, cancels it once it has printed `started`; returns its end and how long that took."""
    made = server.post(f"/sessions/{session}/statements", {"code": code}).json["id"]
    path = f"/v1/sessions/{session}/statements/{made}"
    server.until("it has started", lambda: started in server.get(path).json["stdout"])
    begin = time.monotonic()
    assert server.post(f"/sessions/{session}/statements/{made}/cancel").status == 200
    return server.finish(session, made, 60), time.monotonic() - begin


def test_text(server, any_kernel):
    session, (code, value, *_) = any_kernel
    assert server.text(session, code) == value


def test_unicode_goes_there_and_back(server, any_kernel):
    session, (_, _, code, *_) = any_kernel
    assert statement(server, session, code)["stdout"].rstrip("\n") == "hällo ✓ \U0001f600"


def test_an_error_has_its_name_and_no_colours_and_the_session_goes_on(server, any_kernel):
    session, (code, value, _, failing, name) = any_kernel
    found = statement(server, session, failing)
    assert found["outcome"] == "error", found
    output = found["output"]
    assert "\x1b" not in str(output) and isinstance(output["traceback"], list)
    if name:
        assert output["ename"] == name and "no" in output["evalue"]
    for _ in range(5):  # also right after an error
        assert server.run(session, failing)["output"]["status"] == "error"
        assert server.text(session, code) == value


def test_results_of_all_types_are_kept(server, python, r):
    data = server.output(python, "from IPython.display import HTML; HTML('<b>bold</b>')")
    assert data["text/html"] == "<b>bold</b>" and "HTML" in data["text/plain"]
    data = server.output(python, "from IPython.display import JSON; display({'application/json': {'a': [1, 2.50, 12345678901234567890123]}, 'text/latex': '$x$', 'application/vnd.mine.v1+json': {}, 'image/svg+xml': '<svg/>'}, raw=True)")
    assert data == {"application/json": {"a": [1, 2.5, 12345678901234567890123]}, "text/latex": "$x$", "application/vnd.mine.v1+json": {}, "image/svg+xml": "<svg/>"}
    data = server.output(r, "data.frame(a = 1:2, b = c('x', 'y'))")
    assert "<table" in data["text/html"] and "a" in data["text/plain"] and "text/latex" in data


def test_plots_are_png(server, python, r):
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    data = server.output(python, f"import base64; from IPython.display import Image; Image(base64.b64decode('{png}'))")
    assert base64.b64decode(data["image/png"]) == base64.b64decode(png)
    found = statement(server, python, "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show(); print('done')")
    assert base64.b64decode(found["displays"][0]["image/png"]).startswith(b"\x89PNG")
    assert base64.b64decode(found["output"]["data"]["image/png"]).startswith(b"\x89PNG"), "Livy's clients see it too"
    assert base64.b64decode(server.output(r, "plot(1:3)")["image/png"]).startswith(b"\x89PNG")


def test_what_is_printed_and_shown_is_live(server, python):
    made = server.post(f"/sessions/{python}/statements", {"code": "import time\nprint('now', flush=True)\ndisplay('shown')\ntime.sleep(60)"}).json["id"]
    path = f"/v1/sessions/{python}/statements/{made}"
    server.until("both are seen while it runs", lambda: (v := server.get(path).json)["stdout"] == "now\n" and v["displays"] == [{"text/plain": "'shown'"}] and v["state"] == "running", 20)
    server.post(f"/sessions/{python}/statements/{made}/cancel")
    assert server.finish(python, made, 30)["state"] == "cancelled"


def test_stdin_is_refused_clearly(server, python, r):
    assert server.run(python, "input('name? ')")["output"]["ename"] == "StdinNotImplementedError"
    output = server.run(r, "readline('name? ')")["output"]
    assert output["status"] == "error" and output["ename"] == "StdinNotImplementedError"
    assert server.text(r, "1") == "[1] 1"
    assert server.text(python, "import subprocess; subprocess.run('cat', capture_output=True).stdout") == "b''", "children find its end"


@pytest.mark.parametrize("kernel, code", [
    ("python", "print('go', flush=True)\nimport time; time.sleep(1000)"),
    ("python", "print('go', flush=True)\nwhile True: pass"),
    ("r", "cat('go'); flush.console(); Sys.sleep(1000)"),
    ("r", "cat('go'); flush.console(); repeat {}"),
    ("bash", "echo go; sleep 1000"),
])
def test_cancel_stops_the_code_and_keeps_the_kernel(server, request, kernel, code):
    session = request.getfixturevalue(kernel)
    before = kernels(server, session)
    keep, read, value = {"python": ("kept = 7", "kept", "7"), "r": ("kept <- 7", "kept", "[1] 7"), "bash": ("kept=7", "echo $kept", "7")}[kernel]
    server.run(session, keep)
    end, seconds = cancel(server, session, code, "go")
    assert end["state"] == "cancelled" and seconds < 8, (end, seconds)
    assert server.text(session, read) == value
    assert set(before) <= set(kernels(server, session))


def test_a_cancel_right_after_the_post_is_not_lost(server, python):
    for _ in range(10):
        made = server.post(f"/sessions/{python}/statements", {"code": "import time; time.sleep(1000)"}).json["id"]
        server.post(f"/sessions/{python}/statements/{made}/cancel")
        assert server.finish(python, made, 8)["state"] == "cancelled"


def test_code_that_interrupts_itself_is_an_error_and_not_cancelled(server, python):
    found = server.run(python, "raise KeyboardInterrupt")
    assert found["state"] == "available" and found["output"]["ename"] == "KeyboardInterrupt"


def test_completion(server, python, r):
    server.run(python, "a_long_name = 1")
    answer = server.post(f"/sessions/{python}/completion", {"code": "é = a_lon", "kind": "jupyter", "cursor": 9}).json
    assert "a_long_name" in answer["candidates"]
    server.run(r, "another_name <- 1")
    assert "another_name" in server.post(f"/sessions/{r}/completion", {"code": "another_n", "kind": "jupyter:ir", "cursor": 9}).json["candidates"]


def test_completion_and_inspection_do_not_wait_for_running_code(server, python):
    made = server.post(f"/sessions/{python}/statements", {"code": "a_long_name = 1\nprint('go', flush=True)\nimport time; time.sleep(1000)"}).json["id"]
    server.until("it runs", lambda: server.get(f"/v1/sessions/{python}/statements/{made}").json["stdout"])
    answer = server.post(f"/sessions/{python}/completion", {"code": "a_lon", "kind": "jupyter", "cursor": 5}, timeout=20)
    assert "a_long_name" in answer.json["candidates"]
    found = server.post(f"/v1/sessions/{python}/inspection", {"code": "a_long_name", "cursor": 5}, timeout=20).json
    assert found["found"] and "int" in found["data"]["text/plain"]
    assert server.get(f"/sessions/{python}/statements/{made}").json["state"] == "running"
    server.post(f"/sessions/{python}/statements/{made}/cancel")
    server.finish(python, made, 30)


def test_inspection_tells_what_is_known_without_colours(server, python, r):
    found = server.post(f"/v1/sessions/{python}/inspection", {"code": "len", "cursor": 3}).json
    assert found["found"] and "number of items" in found["data"]["text/plain"] and "\x1b" not in str(found)
    assert server.post(f"/v1/sessions/{python}/inspection", {"code": "nosuchname", "cursor": 3}).json["found"] is False
    server.run(r, "kept <- c(a = 1)")
    assert server.post(f"/v1/sessions/{r}/inspection", {"code": "kept", "cursor": 3}).json["found"] is True


def test_magics_are_the_kernels_own(server, python, bash):
    assert server.text(python, "%who_ls NoneType").startswith("[")
    assert server.text(python, "%%bash\necho from bash") == "from bash"
    found = statement(server, python, "len?")
    assert any("number of items" in str(shown) for shown in found["displays"]), "help is shown, not lost in a pager"


def test_100000_lines_arrive_whole_and_bounded(server, python):
    before = server.memory()
    found = statement(server, python, "for i in range(100000): print('line', i)")
    whole = server.get(f"/v1/sessions/{python}/statements/{found['id']}/output/text?stream=stdout", timeout=60).body.decode()
    assert whole == "".join(f"line {i}\n" for i in range(100000))
    assert server.memory() - before < 32 << 20
    before = server.memory()
    found = statement(server, python, "lines = ('x' * 99 + '\\n') * 1000\nfor i in range(1000): print(lines, end='')")
    page = server.get(f"/v1/sessions/{python}/statements/{found['id']}/output?stream=stdout&from=99999900&size=100").json
    assert page["total"] == 100000000 and page["text"] == "x" * 99 + "\n"
    assert len(found["output"]["data"]["text/plain"]) < 2 << 20, "the whole is not repeated in the result"
    assert server.memory() - before < 32 << 20
    many = statement(server, python, "for i in range(500): display(i)")
    assert len(many["displays"]) == 500


def test_a_notebook_has_each_output_once(server):
    session = server.session(kind="jupyter:python3")
    try:
        server.run(session, "print('printed'); display({'text/html': '<i>shown</i>', 'text/plain': 's'}, raw=True); 42")
        server.run(session, "display({'text/html': '<i>only</i>', 'text/plain': 's'}, raw=True)")
        first, second = server.get(f"/v1/sessions/{session}/notebook").json["cells"]
        assert [o["output_type"] for o in first["outputs"]] == ["stream", "display_data", "execute_result"]
        assert first["outputs"][2]["data"] == {"text/plain": "42"}
        assert [o["output_type"] for o in second["outputs"]] == ["display_data"]
    finally:
        server.delete(f"/sessions/{session}")
