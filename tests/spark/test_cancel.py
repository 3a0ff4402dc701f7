"""Cancel stops code, and the session that ran it goes on."""

import os

import pytest

SCALA = {"loop": "while (true) {}", "sleep": "Thread.sleep(1000000)",
         "job": "sc.parallelize(1 to 4, 4).map { x => Thread.sleep(100000); x }.sum"}
PYTHON = {"loop": "while True: pass", "sleep": "import time; time.sleep(1000)",
          "job": "import time\nsc.parallelize(range(4), 4).map(lambda x: time.sleep(100)).count()"}


def cancel_running(server, session, code, kind):
    """Cancels code once it has printed "begun" and returns the final statement."""
    begin = 'println("begun")\n' if kind == "spark" else "print('begun')\n"
    made = server.post(f"/sessions/{session}/statements", {"code": begin + code, "kind": kind}).json
    path = f"/sessions/{session}/statements/{made['id']}"
    server.until("it has printed", lambda: "begun" in server.get("/v1" + path).json["stdout"], 60)
    answer = server.post(path + "/cancel")
    assert answer.status == 200 and answer.json == {"msg": "canceled"}
    final = server.finish(session, made["id"], 60)
    assert final["state"] == "cancelled", final
    return final


@pytest.mark.parametrize("what", SCALA)
def test_cancel_stops_scala_code(server, scala, what):
    server.output(scala, "val kept = 7")
    cancel_running(server, scala, SCALA[what], "spark")
    assert server.text(scala, "1 + 1").endswith(": Int = 2\n")
    assert "7" in server.text(scala, "kept"), "the variables are still there"
    assert "3" in server.text(scala, "sc.parallelize(1 to 3, 2).count", timeout=60), "no task holds a slot"


@pytest.mark.parametrize("what", PYTHON)
def test_cancel_stops_python_code(server, python, what):
    server.output(python, "kept = 7")
    cancel_running(server, python, PYTHON[what], "pyspark")
    assert server.text(python, "1 + 1") == "2"
    assert server.text(python, "kept") == "7", "the variables are still there"
    assert server.text(python, "sc.parallelize(range(3), 2).count()", timeout=60) == "3", "no task holds a slot"


def test_cancel_of_a_waiting_statement_never_runs_it(server, python):
    first = server.post(f"/sessions/{python}/statements", {"code": "import time; time.sleep(1000)"}).json["id"]
    second = server.post(f"/sessions/{python}/statements", {"code": "ran = True"}).json["id"]
    server.post(f"/sessions/{python}/statements/{second}/cancel")
    assert server.get(f"/sessions/{python}/statements/{second}").json["state"] == "cancelled"
    server.post(f"/sessions/{python}/statements/{first}/cancel")
    assert server.finish(python, first)["state"] == "cancelled"
    assert server.run(python, "ran")["output"]["ename"] == "NameError"


def test_python_code_that_will_not_stop_costs_its_interpreter_and_says_so(server):
    session = server.session(kind="pyspark", conf={"spark.ui.enabled": "false"})
    stubborn = "sum(range(10**14))"  # one long call into C, which looks at no signal
    final = cancel_running(server, session, stubborn, "pyspark")
    assert "restarted" in final["output"]["evalue"], final
    log = "\n".join(server.get(f"/sessions/{session}/log?size=-1").json["log"])
    assert "did not stop" in log and "restarted" in log
    assert server.text(session, "sc.parallelize([1, 2]).sum()") == "3", "the same session, the same context"
    server.delete(f"/sessions/{session}")


def test_r_code_that_will_not_stop_costs_its_interpreter_and_says_so(server):
    session = server.session(kind="shared", conf={"spark.ui.enabled": "false", "spark.hearth.r.plain": "true"})
    server.output(session, "val kept = 7", "spark")
    # R waits in C for a child that is deaf to the signal.
    code = 'cat("begun\\n"); system("trap \'\' INT; sleep 1000")'
    made = server.post(f"/sessions/{session}/statements", {"code": code, "kind": "sparkr"}).json["id"]
    path = f"/sessions/{session}/statements/{made}"
    server.until("it has printed", lambda: "begun" in server.get("/v1" + path).json["stdout"], 60)
    assert server.post(path + "/cancel").status == 200
    final = server.finish(session, made, 60)
    assert final["state"] == "cancelled" and "sparkr interpreter was restarted" in final["output"]["evalue"], final
    assert server.text(session, "1 + 1", "sparkr") == "[1] 2"
    assert "7" in server.text(session, "kept", "spark"), "the other languages go on"
    server.delete(f"/sessions/{session}")


def test_scala_code_that_will_not_stop_costs_its_driver_and_says_so(server, tmp_path):
    session = server.session(kind="spark", conf={"spark.ui.enabled": "false"})
    os.mkfifo(tmp_path / "never")
    # The JVM cannot stop a thread that waits in the kernel.
    code = f'println("begun"); new java.io.FileInputStream("{tmp_path}/never").read()'
    made = server.post(f"/sessions/{session}/statements", {"code": code}).json["id"]
    path = f"/sessions/{session}/statements/{made}"
    server.until("it has printed", lambda: "begun" in server.get("/v1" + path).json["stdout"], 60)
    assert server.post(path + "/cancel").status == 200
    final = server.finish(session, made, 90)
    assert final["state"] == "cancelled" and "spark interpreter was restarted" in final["output"]["evalue"], final
    assert server.text(session, "1 + 1", timeout=180).endswith(": Int = 2\n"), "the session goes on, with a new driver"
    server.delete(f"/sessions/{session}")
