"""Kernels outlive the host: killed or stopped, the next one goes on with them, and what the kernels cannot tell again is
said to be lost."""

import contextlib
import os
import pathlib
import signal
import time

import pytest

# To set and to read a variable, with what is read; code that prints "on" and goes on until the file is there, in
# which it has a last word and changes the variable; code without end.
PYTHON = ("kept = 41", "kept", "41",
          "import os, time\nprint('on', flush=True)\nwhile not os.path.exists({go!r}): time.sleep(0.1)\nkept = 42\nkept",
          "print('on', flush=True)\nimport time\nwhile True: time.sleep(1)")
R = ("kept <- 41", "kept", "[1] 41",
     "cat('on'); flush.console(); while (!file.exists({go!r})) Sys.sleep(0.1); kept <- 42; kept",
     "cat('on'); flush.console(); repeat Sys.sleep(1)")
BASH = ("kept=41", "echo $kept", "41",
        "echo on; while [ ! -e {go!r} ]; do sleep 0.1; done; kept=42; echo $kept", "echo on; while true; do sleep 1; done")
KERNELS = {"python3": PYTHON, "ir": R, "bash": BASH}


@pytest.fixture(params=KERNELS)
def kernel(request):
    return request.param


def begun(server, session, code):
    number = server.submit(session, code)
    server.until("it runs", lambda: "on" in server.statement(session, number)["stdout"], 60)
    return number


def leave(server, how):
    if how == "kill -9":
        server.kill()
    else:
        assert server.stop() == 0


def is_lost(found):
    return found["output"]["status"] == "error" and "lost" in found["output"]["evalue"]


def leaders(server):
    """The kernels: each leads its process group, and has its connection file on its command line."""
    found = []
    for pid in server.children():
        with contextlib.suppress(OSError):
            if os.getpgid(pid) == pid and b".json" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def nothing_is_left(server):
    assert not list(server.data.rglob("kernel*"))
    server.until("all processes have ended", lambda: not server.children())


@pytest.mark.parametrize("how", ["kill -9", "SIGTERM"])
def test_variables_survive_the_host_and_a_running_statement_is_told_as_lost(make_server, tmp_path, kernel, how):
    set_it, read, value, until_told, _ = KERNELS[kernel]
    go = str(tmp_path / "go")
    with make_server(tmp_path, {"session.on_shutdown": "detach"}) as server:
        session = server.session(kind=f"jupyter:{kernel}")
        server.run(session, set_it)
        before = leaders(server)
        running = begun(server, session, until_told.format(go=go))
        waiting = [server.submit(session, code) for code in (read, set_it, read)]
        leave(server, how)
        server.start()
        server.until("it is taken up", lambda: server.view(session)["state"] == "busy", 60)
        assert server.statement(session, running)["state"] == "running", "nothing is told before it is known"
        assert server.statement(session, waiting[0])["state"] == "waiting"
        pathlib.Path(go).touch()
        final = server.finish(session, running)
        assert is_lost(final), final
        assert server.statement(session, running)["stdout"].startswith("on")
        texts = [server.finish(session, number)["output"]["data"].get("text/plain") for number in waiting]
        assert texts[0] == value.replace("41", "42") and texts[2] == value, "its code ran to its end, then they, in order"
        assert server.text(session, read) == value
        assert leaders(server) == before
        assert server.delete(f"/sessions/{session}").status == 200
        nothing_is_left(server)


@pytest.mark.parametrize("how", ["kill -9", "SIGTERM"])
def test_an_idle_kernel_is_as_good_as_new_time_and_again(make_server, tmp_path, how):
    with make_server(tmp_path, {"session.on_shutdown": "detach"}, transport="tcp") as server:
        session = server.session(kind="jupyter")
        server.run(session, "kept = 41")
        server.run(session, "kept <- 41", kind="jupyter:ir")
        for _ in range(3):
            leave(server, how)
            server.start()
            server.settle(session)
            assert server.text(session, "kept += 1; print(kept)")
            assert server.text(session, "kept", kind="jupyter:ir") == "[1] 41"
        assert server.text(session, "kept") == "44"
        # Another kernel there, which must not meet the files of those.
        assert server.text(session, "echo new", kind="jupyter:bash") == "new"
        stuck = begun(server, session, PYTHON[4])
        server.post(f"/sessions/{session}/statements/{stuck}/cancel")
        assert server.finish(session, stuck)["state"] == "cancelled"
        assert server.text(session, "kept") == "44"
        assert server.delete(f"/sessions/{session}").status == 200
        nothing_is_left(server)


def test_what_ended_while_the_host_was_away_is_not_called_done(make_server, tmp_path):
    with make_server(tmp_path) as server:
        session = server.session(kind="jupyter")
        go, done = tmp_path / "go", tmp_path / "done"
        running = begun(server, session, PYTHON[3].format(go=str(go)) + f"\nopen({str(done)!r}, 'w').close()")
        server.kill()
        go.touch()
        server.until("its code has ended", done.exists)
        server.start()
        assert is_lost(server.finish(session, running))
        assert server.text(session, "kept") == "42"


def test_a_cancel_during_the_take_up_stops_the_code(make_server, tmp_path, kernel):
    set_it, read, value, _, endless = KERNELS[kernel]
    with make_server(tmp_path) as server:
        session = server.session(kind=f"jupyter:{kernel}")
        server.run(session, set_it)
        running = begun(server, session, endless)
        server.kill()
        server.start()
        assert server.post(f"/sessions/{session}/statements/{running}/cancel").status == 200
        assert server.finish(session, running, 60)["state"] == "cancelled"
        assert server.text(session, read) == value


def test_a_kernel_that_was_starting_comes_up(make_server, tmp_path, kernel):
    with make_server(tmp_path) as server:
        session = server.post("/sessions", {"kind": f"jupyter:{kernel}"}).json["id"]
        server.until("there is a process", lambda: leaders(server))
        server.kill()
        server.start()
        server.settle(session)
        server.until("one that nobody had noted down is ended by its guard", lambda: len(leaders(server)) == 1)
        assert server.run(session, KERNELS[kernel][0])["output"]["status"] == "ok"


def test_a_kernel_that_died_meanwhile_is_told_of_with_its_statements(make_server, tmp_path):
    with make_server(tmp_path) as server:
        session = server.session(kind="jupyter")
        running = begun(server, session, PYTHON[4])
        waiting = server.submit(session, "1")
        [kernel] = leaders(server)
        server.kill()
        os.kill(kernel, signal.SIGKILL)
        server.start()
        view = server.until("it is dead", lambda: (v := server.view(session))["state"] == "dead" and v)
        assert "while the host was away" in view["reason"]
        assert "while the host was away" in server.statement(session, running)["output"]["evalue"]
        assert server.statement(session, waiting)["state"] == "cancelled"
        nothing_is_left(server)  # nor a guard


def test_a_taken_up_kernel_that_dies_takes_what_it_has_started_with_it(make_server, tmp_path):
    with make_server(tmp_path) as server:
        session = server.session(kind="jupyter")
        server.kill()
        server.start()
        server.settle(session)
        server.run(session, "import subprocess; child = subprocess.Popen(['sleep', '1000'])")
        [kernel] = leaders(server)
        os.kill(kernel, signal.SIGKILL)
        view = server.until("it is dead", lambda: (v := server.view(session))["state"] == "dead" and v)
        assert "has ended" in view["reason"]
        server.until("nothing is left", lambda: not server.children())


@pytest.mark.parametrize("how", ["kill -9", "SIGTERM"])
def test_a_host_that_stays_away_costs_the_kernel_and_all_that_it_has_started(make_server, tmp_path, how):
    with make_server(tmp_path, {"session.on_shutdown": "detach"}, orphan_time=3) as server:
        session = server.session(kind="jupyter")
        server.run(session, "import subprocess; child = subprocess.Popen(['sleep', '1000'])")
        leave(server, how)
        assert leaders(server), "it has its time"
        server.until("nothing runs any more", lambda: not server.children(), 60)
        server.start()
        view = server.until("it is dead", lambda: (v := server.view(session))["state"] == "dead" and v)
        assert "while the host was away" in view["reason"]
        assert not list(server.data.rglob("kernel*"))


def test_a_host_that_comes_back_stops_the_clock(make_server, tmp_path):
    with make_server(tmp_path, orphan_time=4) as server:
        session = server.session(kind="jupyter")
        server.kill()
        time.sleep(2)  # into its time
        server.start()
        server.settle(session)
        time.sleep(5)  # beyond what was left of it
        assert server.text(session, "1") == "1"
        server.kill()
        server.until("without a host its time begins anew", lambda: not server.children(), 60)
        server.start()


def test_without_orphan_time_kernels_end_with_the_host(make_server, tmp_path):
    with make_server(tmp_path, {"session.on_shutdown": "detach"}, orphan_time=0) as server:
        session = server.session(kind="jupyter")
        assert len(server.children()) == 1, "no guard"
        assert server.stop() == 0
        assert not server.children()
        server.start()
        assert server.view(session)["state"] == "dead"
        server.session(kind="jupyter")
        server.kill()
        server.until("the kernel has ended by itself", lambda: not server.children(), 20)
        server.start()


def test_code_that_waits_for_its_children_does_not_meet_the_guard(make_server, tmp_path):
    with make_server(tmp_path) as server:
        session = server.session(kind="jupyter")
        code = "import os\ntry:\n    os.waitpid(-1, os.WNOHANG)\nexcept ChildProcessError:\n    print('none')"
        assert server.text(session, code) == "none"
        assert len(server.children()) > 1, "there is one"
        server.run(session, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.killpg(0, signal.SIGTERM)")
        server.delete(f"/sessions/{session}")
        nothing_is_left(server)
