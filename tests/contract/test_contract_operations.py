"""What operators do to a running server: look at its health, change its configuration, let it drain, run it as a service."""

import signal
import socket



def test_health_says_that_new_work_is_welcome(make_server):
    with make_server() as server:
        server.session(kind="echo")
        for path in ("/v1/health", "/v1/health/live", "/v1/health/ready"):
            answer = server.get(path)
            assert answer.status == 200, path
            assert answer.json["ready"] is True and answer.json["reasons"] == [] and answer.json["sessions"] == 1


def test_a_drained_server_lets_running_code_end_and_takes_nothing_new(make_server):
    with make_server({"server.drain_time": "60s"}) as server:
        session = server.session(kind="echo")
        running = server.submit(session, "slow 1.5")
        waiting = server.submit(session, "after")
        server.until("it runs", lambda: server.get(f"/sessions/{session}/statements/{running}").json["state"] == "running")
        server.process.send_signal(signal.SIGTERM)
        server.until("it drains", lambda: server.get("/v1/health/ready").status == 503)
        assert server.get("/v1/health/ready").json["reasons"] == ["the server is shutting down"]
        assert server.get("/v1/health/live").status == 200
        refused = server.post("/v1/sessions", {"kind": "echo"})
        assert refused.status == 503 and "shutting down" in refused.json["detail"]
        assert server.post(f"/v1/sessions/{session}/statements", {"code": "1"}).status == 503
        assert server.process.wait(30) == 0
        server.start()
        assert [server.get(f"/sessions/{session}/statements/{number}").json["output"]["status"]
                for number in (running, waiting)] == ["ok", "ok"]


def test_a_second_signal_ends_the_wait_of_a_drained_server(make_server):
    with make_server({"server.drain_time": "600s"}) as server:
        session = server.session(kind="echo")
        server.submit(session, "hang")
        server.process.send_signal(signal.SIGTERM)
        server.until("it drains", lambda: server.get("/v1/health/ready").status == 503)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        server.start()
        assert server.get(f"/sessions/{session}/state").json["state"] == "dead"


def test_a_reload_changes_the_rules_and_keeps_the_sessions(make_server, tmp_path):
    conf = tmp_path / "hearth.properties"
    conf.write_text("policy.conf.denied = spark.secret\nsession.idle_time = 5m\n")
    with make_server(args=["--config", str(conf)]) as server:
        session = server.session(kind="echo")
        asked = {"kind": "echo", "conf": {"spark.wide": "1"}}
        assert server.post("/v1/sessions", asked).status == 201

        def reload(text, mark):
            before = server.log.read_text().count("SIGHUP")
            conf.write_text(text)
            server.process.send_signal(signal.SIGHUP)
            server.until(mark, lambda: mark in server.log.read_text() and server.log.read_text().count("SIGHUP") > before)

        reload("policy.conf.denied = spark.secret,spark.wide\nsession.limit = 2\nsession.idle_time = 7m\n",
               "these change at the next start: session.idle_time")
        refused = server.post("/v1/sessions", asked)
        assert refused.status == 422 and "spark.wide" in refused.json["detail"], refused
        assert server.post("/v1/sessions", {"kind": "echo"}).status == 429
        # One that is wrong changes nothing.
        reload("policy.conf.denied = spark.other\nno.such.key = 1\n", "the configuration stays as it is")
        assert server.post("/v1/sessions", asked).status == 422
        assert server.text(session, "still here") == "still here"


def test_a_service_manager_is_told_of_start_reload_and_stop(make_server, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(30)
        with make_server(env={"NOTIFY_SOCKET": path}) as server:
            ready = manager.recv(4096).decode()
            assert f"READY=1\nMAINPID={server.process.pid}" == ready
            server.process.send_signal(signal.SIGHUP)
            assert manager.recv(4096).decode().startswith("RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(4096).decode().startswith("READY=1")
            server.process.send_signal(signal.SIGTERM)
            assert manager.recv(4096).decode().startswith("STOPPING=1")
            assert server.process.wait(30) == 0
            server.env.pop("NOTIFY_SOCKET")
            server.start()
