"""Plugins that were built against a release of the ABI go on working, slot by slot."""

import shutil
import subprocess

import pytest

import harness

RELEASES = sorted((harness.ROOT / "plugin-api" / "abi").glob("v*/plugin.c"))


@pytest.fixture(scope="module", params=RELEASES, ids=[source.parent.name for source in RELEASES])
def old(request, plugins, tmp_path_factory):
    """(server, session) of a plugin that was built with nothing but what was released with it."""
    folder = tmp_path_factory.mktemp("old_plugins")
    shutil.copytree(plugins, folder, dirs_exist_ok=True)
    release = request.param.parent
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC",
                    "-I", str(release), "-o", str(folder / f"{release.name}.so"), str(request.param)], check=True)
    with harness.Server(tmp_path_factory.mktemp("old"), {}, folder) as server:
        yield server, server.session(kind=release.name)


@pytest.mark.parametrize("code,answer", [
    ("anything", "ok"), ("output", "ok"), ("display", "ok"), ("save", "ok"), ("adopt", "nothing to adopt"),
    ("process", "hello 15"), ("timer", "ok"), ("link", "ok"), ("extension", "none"),
])
def test_what_an_old_plugin_asks_of_the_host_it_still_gets(old, code, answer):
    server, session = old
    assert server.text(session, code) == answer


def test_what_an_old_plugin_prints_and_shows_is_served(old):
    server, session = old
    number = server.run(session, "output")["id"]
    view = server.get(f"/v1/sessions/{session}/statements/{number}").json
    assert (view["stdout"], view["stderr"]) == ("out\n", "err\n")
    number = server.run(session, "display")["id"]
    view = server.get(f"/v1/sessions/{session}/statements/{number}").json
    assert [shown for shown in view["displays"] if shown] == [{"text/plain": "changed"}]
    assert "a line of ABI 1.0" in server.get(f"/v1/sessions/{session}/log").body.decode()


def test_an_old_plugin_is_interrupted_and_refuses(old):
    server, session = old
    number = server.submit(session, "slow")
    server.until("it runs", lambda: server.statement(session, number)["state"] == "running")
    server.post(f"/sessions/{session}/statements/{number}/cancel")
    assert server.finish(session, number)["state"] == "cancelled"
    refused = server.run(session, "refuse")["output"]
    assert refused["status"] == "error" and "refused, as asked" in refused["evalue"]
    assert server.run(session, "error")["output"]["ename"] == "E"
    assert server.run(session, "incomplete")["output"]["status"] == "error"


def test_an_old_plugin_answers_questions(old):
    server, session = old
    asked = {"code": "ou", "cursor": 2}
    assert server.post(f"/sessions/{session}/completion", {**asked, "kind": "v1.0"}).json["candidates"] == [
        "output", "other"]
    found = server.post(f"/v1/sessions/{session}/inspection", asked).json
    assert found["found"] and found["data"] == {"text/plain": "a word"}
    assert server.get(f"/v1/sessions/{session}/shared").json["items"][0]["name"] == "n"


def test_a_session_of_an_old_plugin_ends_as_it_says(old):
    server, _ = old
    kind = server.view(old[1])["kind"]
    made = server.session(kind=kind)
    assert server.run(made, "lost")["output"]["status"] == "error"
    server.until("it is dead", lambda: server.view(made)["state"] in ("dead", "error"))
    ended = server.session(kind=kind)
    assert server.delete(f"/sessions/{ended}").status == 200
