"""Applications of real clusters as the host follows them, ends them and learns of their ends."""

import http.server
import ssl
import subprocess
import threading
import time

import pytest

import sessions
from following import Probe, Sleeper, submit_command


@pytest.fixture
def probe(yarn):
    with Probe(f"http://127.0.0.1:1,{yarn.url}") as running:
        yield running


@pytest.fixture(scope="module")
def sleeper(tmp_path_factory):
    made = Sleeper(tmp_path_factory.mktemp("sleeper"), sessions.oldest_spark())
    yield made
    made.stop()


def test_an_application_that_is_killed_in_yarn_is_told_with_who_did_it(yarn, probe):
    app = submit_command(yarn, "sleep 600", "Killed-There")
    probe.follow("it", "yarn", "killed-there")
    report = probe.until("it", "starting")
    assert report["id"] == app
    yarn.kill(app)
    report = probe.until("it", "killed")
    assert "killed by user" in report["diagnostics"], report


def test_an_application_is_killed_in_yarn_for_who_wants_it(yarn, probe):
    app = submit_command(yarn, "sleep 600", "kill-it")
    other = submit_command(yarn, "sleep 600", "let-it-be")
    probe.follow("it", "yarn", "kill-it")
    probe.until("it", "starting")
    probe.tell("kill", "it")
    assert probe.until("it", "killed")["id"] == app
    [left] = yarn.apps(applicationTags="let-it-be")
    assert left["finalStatus"] == "UNDEFINED", left
    yarn.kill(other)


def test_an_application_that_comes_after_its_end_was_wanted_is_killed(yarn, probe):
    probe.follow("it", "yarn", "too-late")
    probe.tell("kill", "it")
    probe.tell("drop", "it")
    probe.follow("seen", "yarn", "too-late")
    app = submit_command(yarn, "sleep 600", "too-late")
    assert probe.until("seen", "killed")["id"] == app


def test_a_failed_application_says_why(yarn, probe):
    submit_command(yarn, "echo for nothing 1>&2; exit 3", "fails")
    probe.follow("it", "yarn", "fails")
    report = probe.until("it", "failed")
    assert "exitCode: 3" in report["diagnostics"], report


def test_many_applications_cost_yarn_one_request_a_period(yarn, probe):
    names = [f"many-{number}" for number in range(20)]
    apps = [submit_command(yarn, "sleep 600", name) for name in names]
    for name in names:
        probe.follow(name, "yarn", name)
    for name in names:
        probe.until(name, "starting")
    before = yarn.requests_with("applicationTags=")
    begun = time.monotonic()
    for name in names:
        probe.tell("kill", name)
    for name in names:
        probe.until(name, "killed")
    asked = [line for line in yarn.requests_with("applicationTags=") if line not in before]
    assert max(line.count("many-") for line in asked) == len(apps)
    # One each would be twenty times as many; changes are looked at a little sooner than a period.
    assert len(asked) <= (time.monotonic() - begun) / 0.1 + len(apps), len(asked)


def test_a_manager_that_is_away_changes_nothing():
    with Probe("http://127.0.0.1:1") as blind:
        blind.follow("it", "yarn", "nobody-knows")
        blind.tell("submitted", "it")
        with pytest.raises(AssertionError, match="is not"):
            blind.until("it", "failed", "killed", seconds=2)


def test_a_standalone_cluster_tells_of_its_applications_and_ends_them(standalone, spark_home, sleeper):
    """With the driver in the cluster too, there are two: it and the application."""
    with Probe(pages=standalone.url) as probe:
        submission = sleeper.start(spark_home, standalone.env())
        [known] = standalone.until("activedrivers")
        probe.follow("driver", standalone.master)
        probe.tell("know", "driver", "-", known["id"])
        assert "/logPage/?driverId=driver-" in probe.until("driver", "running")["log"]
        [known] = standalone.until("activeapps")
        probe.follow("app", standalone.master, app=known["id"])
        assert known["id"] in probe.until("app", "running")["ui"]
        probe.tell("kill", "app")
        probe.until("app", "killed")
        probe.tell("kill", "driver")
        probe.until("driver", "killed")
        assert submission.wait(60) == 0


def test_a_manager_behind_tls_is_asked_if_its_certificate_is_trusted(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
                    "-subj", "/CN=manager", "-addext", "subjectAltName=IP:127.0.0.1"],
                   cwd=tmp_path, check=True, capture_output=True)

    class Manager(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = b'{"apps":{"app":[{"id":"application_1_1","applicationTags":"safe","state":"RUNNING","finalStatus":"UNDEFINED"}]}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Manager) as manager:
        manager.socket = context.wrap_socket(manager.socket, server_side=True)
        threading.Thread(target=manager.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{manager.server_port}"
        with Probe(url, "-", str(tmp_path / "cert.pem")) as probe:
            probe.follow("it", "yarn", "safe")
            assert probe.until("it", "running")["id"] == "application_1_1"
        with Probe(url) as probe:
            probe.follow("it", "yarn", "safe")
            with pytest.raises(AssertionError, match="is not"):
                probe.until("it", "running", seconds=2)
        manager.shutdown()
