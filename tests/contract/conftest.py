"""Servers with the example plugins only: no Spark, no Java, every session ready in milliseconds."""

import contextlib
import pathlib
import resource
import shutil
import subprocess

import pytest

import harness

HERE = pathlib.Path(__file__).resolve().parent

# Thousands of clients at once are part of these tests.
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

# Short time-outs, so that nothing here waits for a default; a session without a kind is an echo.
SETTINGS = {
    "session.shared_kind": "echo",
    "session.launch_time": "5s",
    "session.close_time": "2s",
    "cancel.grace": "1s",
}


@pytest.fixture(scope="session")
def plugins(tmp_path_factory):
    """A plugins folder with echo and echoc alone."""
    folder = tmp_path_factory.mktemp("plugins")
    for name in ("echo", "echoc"):
        library = harness.build_dir() / "plugins" / name / f"{name}.so"
        (folder / name).mkdir()
        shutil.copy(library, folder / name)
    return folder


@pytest.fixture(scope="session")
def bad_plugins(plugins, tmp_path_factory):
    """The same, and the interpreters of plugins/misbehaving.c."""
    folder = tmp_path_factory.mktemp("bad_plugins")
    shutil.copytree(plugins, folder, dirs_exist_ok=True)
    for name, flags in (("misbehaving", []), ("following", ["-DFOLLOWING"])):
        (folder / name).mkdir()
        subprocess.run(
            ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *flags,
             "-I", str(harness.ROOT / "plugin-api" / "include"),
             "-o", str(folder / name / f"{name}.so"), str(HERE / "plugins" / "misbehaving.c")],
            check=True)
    return folder


@pytest.fixture(scope="module")
def server(request, plugins, tmp_path_factory):
    """One server for all tests of a module; its SERVER_SETTINGS go over those above."""
    settings = {**SETTINGS, **getattr(request.module, "SERVER_SETTINGS", {})}
    with harness.Server(tmp_path_factory.mktemp("server"), settings, plugins) as started:
        yield started


@pytest.fixture(scope="module")
def wild(bad_plugins, tmp_path_factory):
    """A server whose interpreters misbehave."""
    with harness.Server(tmp_path_factory.mktemp("wild"), SETTINGS, bad_plugins) as started:
        yield started


@pytest.fixture
def make_server(plugins, tmp_path):
    """make_server(settings...) gives a server, not started, on a data folder of the test's own. All that
    run at the end of the test are stopped, and then looked over as a `with` would."""
    made = []

    def make(settings=None, plugins_dir=None, **more):
        folder = more.pop("folder", tmp_path / f"server{len(made)}")
        server = harness.Server(folder, {**SETTINGS, **(settings or {})}, plugins_dir or plugins, **more)
        made.append(server)
        return server

    yield make
    with contextlib.ExitStack() as ends:  # all are stopped, also when one of them fails
        for server in made:
            if server.running():
                ends.push(server)


@pytest.fixture
def session(server):
    """An idle echo session, deleted afterwards."""
    made = server.session(kind="echo")
    yield made
    server.delete(f"/sessions/{made}")
