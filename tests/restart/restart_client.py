"""Clients that lose sight of the host again and again, and note all that they are told."""

import threading
import time

from restart_host import GONE
from restart_world import Batch, Session, Statement

CODES = ("echo hello", "count", "count", "print 20", "print 300", "sleep 20", "sleep 150", "fail", "spin")


class Client:
    """Of one thread. Its sessions and batches are its own."""

    def __init__(self, world, name, random):
        self.world, self.host, self.name, self.random = world, world.host, name, random
        self.sessions, self.batches = [], []
        self.keys = 0

    # ---- single steps; each survives the end of the host

    def _key(self):
        self.keys += 1
        return f"{self.name}-{self.keys}"

    def make_session(self, wait=True):
        key = self._key()
        path = "/v1/sessions" + ("?wait=30s" if wait else "")
        made = self.host.ask("POST", path, {"kind": "linkecho"}, {"Idempotency-Key": key})
        if made.status != 201:
            return self.world.violated(f"POST {path} was answered {made}")
        # An answer that got lost, and its replay, are the same session; so is every later one.
        known = any(session.number == made.json["id"] for session in self.sessions)
        session = self.world.add(self.world.sessions, Session(made.json["id"], key), known)
        session.see(self.world, self.host.generation, made.json)
        self.sessions.append(session)
        again = self.host.ask("POST", "/v1/sessions", {"kind": "linkecho"}, {"Idempotency-Key": key})
        if again.status != 201 or again.json["id"] != session.number:
            self.world.violated(f"{session.what}: its key's second POST was answered {again}")
        return session

    def session(self):
        """One that takes statements; made where there is none."""
        usable = [session for session in self.sessions if session.usable()]
        return self.random.choice(usable) if usable else self.make_session()

    def post(self, session, code, wait=None, kind="linkecho"):
        """The statement, or None where nothing was heard or the session is over."""
        path = f"/v1/sessions/{session.number}/statements" + (f"?wait={wait}" if wait else "")
        generation = self.host.generation
        if code == "die":  # also where nothing is heard of it
            self.world.killed_by_user.add(session.number)
        try:
            answer = self.host.request("POST", path, {"code": code, "kind": kind})
        except GONE:
            session.unanswered.append(code)
            return None
        if answer.status != 201:
            self.look(session)
            if session.usable() and answer.status != 429:
                self.world.violated(f"{session.what} is {session.state}, and POST {path} was answered {answer}")
            return None
        view = answer.json
        if view["id"] in session.statements:
            self.world.violated(f"{session.statements[view['id']].what}: its number was given out twice")
        statement = session.statements[view["id"]] = Statement(session, view["id"], code, kind)
        statement.see(self.world, max(generation, self.host.generation), view)
        if statement.over():
            statement.final = view
        return statement

    def look(self, thing):
        """A session or batch as it is now; None, and a violation, where it is gone."""
        answer = self.host.ask("GET", f"/v1/{'batches' if isinstance(thing, Batch) else 'sessions'}/{thing.number}")
        if answer.status != 200:
            return self.world.violated(f"{thing.what}: was acknowledged and is lost: {answer}")
        thing.see(self.world, self.host.generation, answer.json)
        return answer.json

    def cancel(self, statement):
        statement.cancel_asked = True
        path = f"/v1/sessions/{statement.session.number}/statements/{statement.number}/cancel"
        try:
            answer = self.host.request("POST", path)
        except GONE:
            time.sleep(0.05)
            return
        if answer.status == 202:
            statement.cancel_acknowledged = True
        elif answer.status == 409 and statement.code == "spin":
            self.world.look(statement, "?wait=2s")
            if not statement.over() and statement.state != "cancelling":
                self.world.violated(f"{statement.what}: {answer} for its cancel, and it is {statement.state}")

    def delete(self, session):
        session.end_asked = True
        answer = self.host.ask("DELETE", f"/sessions/{session.number}")
        if answer.status in (200, 404):
            session.delete_acknowledged = True
        else:
            self.world.violated(f"{session.what}: DELETE was answered {answer}")

    def make_batch(self, *args):
        key = self._key()
        name = f"/{key}.jar"
        body = {"file": name, "args": [f"record={self.host.effects}", *args]}
        made = self.host.ask("POST", "/v1/batches", body, {"Idempotency-Key": key})
        if made.status != 201:
            return self.world.violated(f"POST /v1/batches was answered {made}")
        batch = self.world.add(self.world.batches, Batch(made.json["id"], name), False)
        batch.see(self.world, self.host.generation, made.json)
        self.batches.append(batch)
        return batch

    def look_at_batch(self, batch):
        told = self.look(batch)
        if told is not None and batch.over():
            view = {key: told[key] for key in ("state", "reason", "ended")}
            if batch.final is not None and batch.final != view:
                self.world.violated(f"{batch.what}: ended as {batch.final} and now as {view}")
            batch.final = view
        return None

    def delete_batch(self, batch):
        batch.end_asked = True
        answer = self.host.ask("DELETE", f"/batches/{batch.number}")
        if answer.status in (200, 404):
            batch.delete_acknowledged = True
        else:
            self.world.violated(f"{batch.what}: DELETE was answered {answer}")

    # ---- much of everything

    def run(self, until):
        """Random steps until the event is set."""
        while not until.is_set():
            self.step()

    def step(self):
        choice = self.random.random()
        live = [session for session in self.sessions if session.usable()]
        statements = [statement for session in live for statement in session.statements.values()]
        open_ones = [statement for statement in statements if not statement.over()]
        if not live or (choice < 0.05 and len(live) < 3):
            self.make_session(wait=self.random.random() < 0.7)
        elif choice < 0.45 and len(open_ones) < 8:
            self.post(self.random.choice(live), self.random.choice(CODES),
                      self.random.choice((None, None, "1s")),
                      self.random.choice(("linkecho", "linkecho", "linkecho2")))
        elif choice < 0.47:
            self.post(self.random.choice(live), "die")
        elif choice < 0.65 and open_ones:
            self.world.look(self.random.choice(open_ones), self.random.choice(("", "?wait=300ms")))
        elif choice < 0.70 and statements:
            self.world.look(self.random.choice(statements))
        elif choice < 0.80 and open_ones:
            spinning = [statement for statement in open_ones if statement.code == "spin"]
            self.cancel(self.random.choice(spinning or open_ones))
        elif choice < 0.83:
            self.delete(self.random.choice(live))
        elif choice < 0.88:
            self.make_batch(self.random.choice(("sleep=0", "sleep=0.1", "exit=3")))
        elif choice < 0.93 and self.batches:
            self.look_at_batch(self.random.choice(self.batches[-20:]))
        elif choice < 0.95 and self.batches:
            self.delete_batch(self.random.choice(self.batches[-5:]))
        else:
            self.look(self.random.choice(self.sessions[-20:]))


class Crowd:
    """Clients in threads; what goes wrong in one is a violation."""

    def __init__(self, clients):
        self.clients, self.over = clients, threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(client,), daemon=True) for client in clients]

    def _run(self, client):
        try:
            client.run(self.over)
        except BaseException as failure:  # must not end unseen in a thread
            import traceback
            client.world.violated(f"client {client.name}: {failure!r}\n{traceback.format_exc()[-1500:]}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        self.over.set()
        end = time.monotonic() + 120
        for thread in self.threads:
            thread.join(max(0.1, end - time.monotonic()))
            if thread.is_alive() and failure[0] is None:
                raise AssertionError("a client hangs")
