"""How kernels begin and end, and that nothing of them stays behind."""

import os
import pathlib
import signal
import time

import pytest


def kernel_of(server, session):
    """The kernel's process: the one that leads its process group."""
    work = str(server.data / "sessions" / str(session) / "work")
    mine = [p for p in server.children() if pathlib.Path(f"/proc/{p}/cwd").resolve().as_posix().startswith(work)]
    return next(p for p in mine if os.getpgid(p) == p)


def dead(server, session):
    view = server.get(f"/v1/sessions/{session}").json
    return view["state"] == "dead" and view


@pytest.mark.parametrize("fields", [{"kind": "jupyter:nosuch"}, {"kind": "jupyter", "conf": {"jupyter.kernel": "nosuch"}}])
def test_an_unknown_kernel_is_refused_with_the_installed_ones(server, fields):
    before = server.get("/sessions").json["total"]
    made = server.post("/sessions", fields)
    assert made.status == 400
    for name in ("nosuch", "python3", "ir", "bash"):
        assert name in str(made.json)
    assert server.post("/v1/sessions", fields).status == 422
    assert server.get("/sessions").json["total"] == before


@pytest.mark.parametrize("fields, word", [
    ({"kind": "jupyter:broken"}, "kernel.json"),
    ({"kind": "jupyter", "conf": {"jupyter.kernal": "ir"}}, "jupyter.kernal"),
    ({"kind": "jupyter", "conf": {"jupyter.transport": "pigeon"}}, "pigeon"),
    ({"kind": "jupyter", "proxyUser": "bob"}, "proxyUser"),
    ({"kind": "jupyter:"}, "Invalid kind"),
    ({"kind": "jupyter:../../etc"}, "Invalid kind"),
    ({"kind": "echo:python3"}, "Invalid kind"),
])
def test_a_request_that_makes_no_sense_is_refused(server, fields, word):
    made = server.post("/sessions", fields)
    assert made.status == 400 and word in str(made.json), made


@pytest.mark.parametrize("kernel, word", [("dying", "before it was ready"), ("missing", "/nonexistent/kernel")])
def test_a_kernel_that_cannot_start_says_why(server, kernel, word):
    session = server.post("/sessions", {"kind": f"jupyter:{kernel}"}).json["id"]
    view = server.get(f"/v1/sessions/{session}?wait=60s", timeout=70).json
    assert view["state"] == "dead" and word in view["reason"]
    if kernel == "dying":
        assert "no such module" in str(server.get(f"/sessions/{session}/log?size=-1").json["log"])


def test_a_kernel_whose_ports_were_taken_is_started_again(server):
    session = server.session(kind="jupyter:robbed", conf={"jupyter.transport": "tcp"})
    try:
        assert server.text(session, "ok 1\nidle") == "1"
        assert "taken the kernel's ports" in str(server.get(f"/sessions/{session}/log?size=-1").json["log"])
    finally:
        server.delete(f"/sessions/{session}")


def test_the_kind_stays_what_was_asked(server, python, r):
    assert server.get(f"/sessions/{python}").json["kind"] == "jupyter"
    assert server.get(f"/sessions/{r}").json["kind"] == "jupyter:ir"


def test_two_kernels_in_one_session_at_once(server, python):
    assert server.text(python, "cat(R.version$language)", kind="jupyter:ir") == "R"
    server.run(python, "both = 'python'")
    server.run(python, "both <- 'r'", kind="jupyter:ir")
    assert server.text(python, "both") == "'python'"
    assert server.text(python, "both", kind="jupyter:ir") == '[1] "r"'
    output = server.run(python, "1", kind="jupyter:nosuch")["output"]
    assert output["ename"] == "InterpreterError" and "installed" in output["evalue"]


def test_sessions_run_side_by_side(server, python):
    other = server.session(kind="jupyter", conf={"jupyter.transport": "tcp"})
    try:
        long = server.post(f"/sessions/{other}/statements", {"code": "import time; time.sleep(3); 'slow'"}).json["id"]
        assert server.text(python, "'quick'") == "'quick'"
        assert server.get(f"/sessions/{other}/statements/{long}").json["state"] == "running"
        assert server.finish(other, long)["output"]["data"] == {"text/plain": "'slow'"}
    finally:
        server.delete(f"/sessions/{other}")


def test_a_killed_kernel_ends_its_session_with_the_reason(server):
    session = server.session(kind="jupyter")
    made = server.post(f"/sessions/{session}/statements", {"code": "print('last words', flush=True)\nimport time; time.sleep(1000)"}).json["id"]
    server.until("it runs", lambda: server.get(f"/v1/sessions/{session}/statements/{made}").json["stdout"])
    os.kill(kernel_of(server, session), signal.SIGKILL)
    view = server.until("the session is dead", lambda: dead(server, session))
    assert "signal 9" in view["reason"]
    found = server.get(f"/v1/sessions/{session}/statements/{made}").json
    assert found["outcome"] == "error" and "signal 9" in found["output"]["evalue"] and found["stdout"] == "last words\n"


def test_a_killed_kernel_beside_the_sessions_own_is_started_again(server, python):
    server.run(python, "gone = 1", kind="jupyter:python3")
    first = server.text(python, "import os; os.getpid()", kind="jupyter:python3")
    output = server.run(python, "os.kill(os.getpid(), 9)", kind="jupyter:python3")["output"]
    assert output["status"] == "error" and "signal 9" in output["evalue"]
    assert server.text(python, "import os; os.getpid()", kind="jupyter:python3") != first
    assert server.text(python, "1 + 1") == "2", "the session's own went on"


def test_code_that_cannot_be_interrupted_costs_the_kernel_and_says_so(make_server, tmp_path):
    with make_server(tmp_path, {"cancel.grace": "1s"}, transport="tcp") as server:
        session = server.session(kind="jupyter")
        code = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('go', flush=True)\nwhile True:\n  try: time.sleep(1000)\n  except BaseException: pass"
        made = server.post(f"/sessions/{session}/statements", {"code": code}).json["id"]
        server.until("it runs", lambda: server.get(f"/v1/sessions/{session}/statements/{made}").json["stdout"])
        server.post(f"/sessions/{session}/statements/{made}/cancel")
        end = server.finish(session, made, 30)
        assert end["state"] == "cancelled" and "restarted" in str(server.get(f"/v1/sessions/{session}/statements/{made}").json["output"])
        assert server.text(session, "'made' in globals()") == "False", "a new kernel"


def test_a_kernel_that_quits_ends_its_session(server):
    session = server.session(kind="jupyter")
    server.post(f"/sessions/{session}/statements", {"code": "import os; os._exit(3)"})
    assert "exit 3" in server.until("the session is dead", lambda: dead(server, session))["reason"]


def test_a_stuck_kernel_is_noted_in_the_log(make_server, tmp_path):
    with make_server(tmp_path, heartbeat_time=1) as server:
        session = server.session(kind="jupyter")
        kernel = kernel_of(server, session)
        log = lambda: str(server.get(f"/sessions/{session}/log?size=-1").json["log"])
        os.kill(kernel, signal.SIGSTOP)
        try:
            server.until("it is noted", lambda: "has not answered its heartbeat" in log(), 20)
        finally:
            os.kill(kernel, signal.SIGCONT)
        server.until("its return too", lambda: "answers its heartbeat again" in log(), 20)
        assert server.text(session, "1") == "1"


def test_files_are_private_and_gone_with_the_session(server):
    session = server.session(kind="jupyter")
    work = server.data / "sessions" / str(session) / "work"
    files = list(work.glob("kernel*"))
    assert any(f.suffix == ".json" for f in files) and len(files) > 1, "sockets in the private folder"
    assert work.stat().st_mode & 0o777 == 0o700
    assert all(f.stat().st_mode & 0o777 == 0o600 for f in files if f.suffix == ".json")
    kernel = kernel_of(server, session)
    key = next(f for f in files if f.suffix == ".json").read_text().split('"key":"')[1][:64]
    assert key.encode() not in pathlib.Path(f"/proc/{kernel}/environ").read_bytes()
    server.delete(f"/sessions/{session}")
    assert not work.exists() and not pathlib.Path(f"/proc/{kernel}").exists()


def test_sigterm_of_the_host_leaves_no_kernel_and_no_connection_file(make_server, tmp_path):
    server = make_server(tmp_path, transport="tcp").start()
    idle = server.session(kind="jupyter")
    busy = server.session(kind="jupyter:ir", conf={"jupyter.transport": "ipc"})
    starting = server.post("/sessions", {"kind": "jupyter:bash"}).json["id"]
    made = server.post(f"/sessions/{busy}/statements", {"code": "cat('go'); Sys.sleep(1000)"}).json["id"]
    server.until("it runs", lambda: server.get(f"/v1/sessions/{busy}/statements/{made}").json["stdout"])
    kernels = [kernel_of(server, session) for session in (idle, busy, starting)]
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 15
    assert not [p for p in kernels if pathlib.Path(f"/proc/{p}").exists()]
    assert not server.children() and not list(server.data.rglob("kernel*"))
