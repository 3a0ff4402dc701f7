"""Jupyter kernels in real sessions: ipykernel and bash_kernel of the tests' Python, IRkernel of the system, and a
scripted kernel that says what real ones say too seldom to wait for."""

import json
import os
import pathlib
import shutil
import sys

import pytest

import harness

HERE = pathlib.Path(__file__).resolve().parent
SETTINGS = {"cancel.grace": "10s", "session.close_time": "10s", "session.launch_time": "90s"}


@pytest.fixture(scope="session")
def plugins(tmp_path_factory):
    """A plugins folder with jupyter and echo alone."""
    folder = tmp_path_factory.mktemp("plugins")
    for name in ("jupyter", "echo"):
        (folder / name).mkdir()
        shutil.copy(harness.build_dir() / "plugins" / name / f"{name}.so", folder / name)
    return folder


def kernelspec(share, name, argv, **more):
    folder = share / "kernels" / name
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": name, **more}))


@pytest.fixture(scope="session")
def share(tmp_path_factory):
    """Kernelspecs of the tests' own, as one would install them."""
    folder = tmp_path_factory.mktemp("share") / "jupyter"
    bash = [sys.executable, "-m", "bash_kernel", "-f", "{connection_file}"]
    kernelspec(folder, "bash", bash, env={"PS1": "$"})
    kernelspec(folder, "scripted", [sys.executable, str(HERE / "scripted_kernel.py"), "{connection_file}", "{resource_dir}"],
               interrupt_mode="message", env={"SCRIPTED": "from ${HOME}", "PYTHONPATH": str(HERE)})
    kernelspec(folder, "robbed", [sys.executable, str(HERE / "robbed_kernel.py"), "{connection_file}", "{resource_dir}"])
    kernelspec(folder, "dying", [sys.executable, "-c", "import sys; sys.exit('no such module')"])
    kernelspec(folder, "missing", ["/nonexistent/kernel", "{connection_file}"])
    (folder / "kernels" / "broken").mkdir()
    (folder / "kernels" / "broken" / "kernel.json").write_text('{"argv": "not a list"}')
    return folder


@pytest.fixture(scope="session")
def make_server(plugins, share):
    """make_server(folder, settings, **config) gives a server whose jupyter plugin has that configuration."""

    def make(folder, settings=None, **config):
        conf = folder / "plugins.d"
        conf.mkdir(parents=True)
        os.chmod(conf, 0o755)
        config.setdefault("kernel_path", [str(share), str(pathlib.Path(sys.prefix) / "share" / "jupyter")])
        (conf / "jupyter.json").write_text(json.dumps({"manifest_version": 1, "name": "jupyter", "config": config}))
        # What this machine's user has installed is no part of the tests.
        env = {"HOME": str(folder), "JUPYTER_PATH": "", "JUPYTER_DATA_DIR": str(folder / "none"), "IPYTHONDIR": str(folder / "ipython")}
        return harness.Server(folder, {**SETTINGS, **(settings or {})}, plugins, env=env)

    return make


@pytest.fixture(scope="session")
def server(make_server, tmp_path_factory):
    with make_server(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def python(server):
    made = server.session(kind="jupyter")
    server.run(made, "%config IPCompleter.use_jedi = False")  # which reads for many seconds before its first answer
    return made


@pytest.fixture(scope="session")
def r(server):
    return server.session(kind="jupyter:ir")


@pytest.fixture(scope="session")
def bash(server):
    return server.session(kind="jupyter", conf={"jupyter.kernel": "bash"})
