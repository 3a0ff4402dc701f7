"""What tests of batches on clusters share."""

import sys

import sessions
from clusters import ROOT

sys.path.append(str(ROOT / "tests" / "spark"))
import applications  # noqa: E402, F401  (for those who compile some)

ENDS = ("success", "dead", "killed")


def post(server, file, *args, **fields):
    made = server.post("/v1/batches", {"file": f"file:{file}", "args": list(args), **fields})
    assert made.status == 201, made
    return made.json["id"]


def finish(server, batch):
    """Its last view and its whole log."""
    view = server.get(f"/v1/batches/{batch}?wait={sessions.START}s", timeout=sessions.START + 10).json
    return view, log(server, batch)


def log(server, batch):
    return server.get(f"/v1/batches/{batch}/log?size=-1").json["log"]


def running(server, batch):
    """Its application's id, once it runs and has one."""
    def found():
        view = server.get(f"/v1/batches/{batch}").json
        assert view["state"] not in ENDS, (view, log(server, batch)[-40:])
        return view["state"] == "running" and view["appId"]
    return server.until("it runs", found, sessions.START)


def says(server, batch, text):
    """Once the log says so."""
    server.until(f"its log says {text}", lambda: any(text in line for line in log(server, batch)), sessions.START)
