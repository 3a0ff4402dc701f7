"""Sessions on a real standalone cluster, their drivers beside the server or in the cluster."""

import pytest

import sessions
from clusters import fetch

ANY_SPARK = True


def test_drivers_in_the_cluster_answer_are_cancelled_and_end(standalone, spark_home, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    with sessions.cluster_server(tmp_path / "server", spark_home, standalone.env(), standalone.master, "cluster",
                                 shared_dir=str(shared)) as server:
        made = server.session(sessions.START, kind="pyspark")
        sessions.answers(server, made)
        sessions.cancels(server, made, "import time\nprint('started')\nwhile True: time.sleep(0.1)", "pyspark")
        [driver] = standalone.state()["activedrivers"]
        assert driver["mainclass"] == "io.hearth.driver.Main"

        # The link's secret is in its two files only, which nobody else can read.
        secret = sessions.secret_of(server, made)
        assert sessions.seen_in_processes(secret) == []
        for page in ("/", "/json/"):
            status, body = fetch(standalone.url + page)
            assert status == 200 and secret.encode() not in body
        [placed] = shared.iterdir()
        assert placed.stat().st_mode & 0o777 == 0o600
        assert sessions.seen_in_files(secret, standalone.folder, tmp_path, but=("link.json", placed.name)) == []

        assert server.delete(f"/sessions/{made}", timeout=60).status == 200
        server.until("the driver is gone", lambda: not standalone.state()["activedrivers"], 30)
        [ended] = [one for one in standalone.state()["completeddrivers"] if one["id"] == driver["id"]]
        assert ended["state"] == "FINISHED", ended
        assert not standalone.state()["activeapps"]
        assert list(shared.iterdir()) == []


def test_drivers_beside_the_server_use_the_cluster(standalone, spark_home, tmp_path):
    with sessions.cluster_server(tmp_path, spark_home, standalone.env(), standalone.master, "client") as server:
        made = server.session(sessions.START, kind="spark")
        sessions.answers(server, made)
        assert len(standalone.state()["activeapps"]) == 1
        server.delete(f"/sessions/{made}", timeout=60)
        server.until("it is over", lambda: not standalone.state()["activeapps"], 30)
