"""What clients were told, and the oracle that holds the host to it."""

import json
import re
import threading
import time

SESSION_STEPS = {
    "not_started": {"starting"},
    "starting": {"idle", "busy", "running"},
    "recovering": {"idle", "busy", "running"},
    "idle": {"busy", "recovering", "success"},
    "running": {"idle", "busy", "recovering", "success"},
    "busy": {"idle", "recovering", "success"},
    "shutting_down": {"dead", "killed", "success"},
    "error": {"shutting_down", "dead", "killed"},
    "dead": set(), "killed": set(), "success": set(),
}
for _state in ("not_started", "starting", "recovering", "idle", "running", "busy"):
    SESSION_STEPS[_state] |= {"shutting_down", "error", "dead", "killed"}
STATEMENT_STEPS = {
    "waiting": {"running", "cancelled", "available"},
    "running": {"available", "cancelling", "cancelled"},
    "cancelling": {"cancelled", "available"},
    "available": set(), "cancelled": set(),
}
BATCH_STEPS = {
    "not_started": {"starting", "recovering"},
    "starting": {"running", "recovering", "not_started"},
    "recovering": {"starting", "running", "not_started"},
    "running": {"recovering"},
    "shutting_down": set(),
    "dead": set(), "killed": set(), "success": set(),
}
for _state in ("not_started", "starting", "recovering", "running"):
    BATCH_STEPS[_state] |= {"shutting_down", "dead", "killed", "success"}
BATCH_STEPS["shutting_down"] |= {"dead", "killed", "success"}
# What a poller may see after a kill besides: steps that were not yet on disk, taken again. Never one
# away from an end.
SESSION_RESTART = {state: {"recovering", "dead"} for state in SESSION_STEPS if SESSION_STEPS[state]}
STATEMENT_RESTART = {"running": {"waiting"}, "cancelling": {"waiting", "running"}}
BATCH_RESTART = {state: {"not_started", "starting", "recovering"}
                 for state in ("starting", "running", "recovering", "shutting_down")}


def reachable(steps, start, more=None):
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for following in steps[state] | (more or {}).get(state, set()):
            if following not in found:
                found.add(following)
                todo.append(following)
    return found


class Thing:
    """A session, statement or batch as its client has seen it, in order. One client each."""

    def __init__(self, what, steps, restart):
        self.what, self.steps, self.restart = what, steps, restart
        self.seen = []  # (generation, state)
        self.final = None  # the view in which its end was seen first
        self.delete_acknowledged = self.end_asked = False

    @property
    def state(self):
        return self.seen[-1][1] if self.seen else None

    def over(self):
        return self.state is not None and not self.steps[self.state]

    def see(self, world, generation, view):
        state = view["state"]
        if state not in self.steps:
            return world.violated(f"{self.what}: unknown state {state}")
        if self.seen:
            before, last = self.seen[-1]
            more = self.restart if generation != before else None
            if state not in reachable(self.steps, last, more):
                world.violated(f"{self.what}: went from {last} to {state} "
                               f"(starts {before} and {generation}): {json.dumps(view)[:600]}")
        if not self.seen or self.seen[-1] != (generation, state):
            self.seen.append((generation, state))


class Session(Thing):
    def __init__(self, number, key):
        super().__init__(f"session {number}", SESSION_STEPS, SESSION_RESTART)
        self.number, self.key = number, key
        self.statements = {}
        self.unanswered = []  # code of statements of whose POST nothing was heard

    def usable(self):
        return not self.over() and not self.end_asked and self.state not in ("error", "shutting_down")

    def was_settled(self):
        return any(state in ("idle", "busy") for _, state in self.seen)


class Statement(Thing):
    def __init__(self, session, number, code, kind="linkecho"):
        self.kind = kind
        super().__init__(f"statement {session.number}/{number} ({code})", STATEMENT_STEPS, STATEMENT_RESTART)
        self.session, self.number, self.code = session, number, code
        self.cancel_asked = self.cancel_acknowledged = False


class Batch(Thing):
    def __init__(self, number, name):
        super().__init__(f"batch {number}", BATCH_STEPS, BATCH_RESTART)
        self.number, self.name = number, name


class World:
    """Thread-safe where clients share it. `takes_up`: sessions survive kill -9 of the host.
    `drivers_die`: faults end drivers too, so that their sessions may die of it. `steps_fail`: so may
    what a client asks for."""

    def __init__(self, host, takes_up, drivers_die=False, steps_fail=False):
        self.host, self.takes_up, self.drivers_die = host, takes_up, drivers_die or steps_fail
        self.steps_fail = steps_fail
        self.sessions, self.batches = {}, {}
        self.violations = []
        self.killed_by_user = set()  # sessions whose code has killed the driver
        self._lock = threading.Lock()

    def violated(self, text):
        with self._lock:
            self.violations.append(text)

    def add(self, table, thing, replayed):
        with self._lock:
            if thing.number in table and not replayed:
                self.violations.append(f"{thing.what}: its id was given out twice")
            return table.setdefault(thing.number, thing)

    # ---- the end

    def finish(self, seconds=60):
        """Lets everything come to its end, checks it all, stops the host. Raises with all that is wrong."""
        host = self.host
        deadline = time.monotonic() + seconds
        for session in list(self.sessions.values()):
            self.cancel_unheard(session)
            for statement in list(session.statements.values()):
                self._settle(session, statement, deadline)
        for session in list(self.sessions.values()):
            self._check_session(session)
        for batch in list(self.batches.values()):
            view = host.ask("GET", f"/v1/batches/{batch.number}?wait=30s").json
            batch.see(self, host.generation, view)
            if not batch.over() or (batch.delete_acknowledged and not view["deleted"]):
                self.violated(f"{batch.what}: still {view['state']}, deleted {view['deleted']}")
        self._check_effects()
        for session in list(self.sessions.values()):
            host.ask("DELETE", f"/sessions/{session.number}")
        # Sessions and batches of whose POST nothing was heard.
        for view in host.ask("GET", "/v1/sessions?size=10000").json["sessions"]:
            host.ask("DELETE", f"/sessions/{view['id']}")
        for view in host.ask("GET", "/v1/batches?size=10000").json["batches"]:
            host.ask("GET", f"/v1/batches/{view['id']}?wait=30s")
        for session in list(self.sessions.values()):
            view = host.ask("GET", f"/v1/sessions/{session.number}").json
            session.see(self, host.generation, view)
            if not session.over():
                self.violated(f"{session.what}: deleted, and still {view['state']}")
        self._check_finals()
        self._check_processes()
        known = {kind: {str(view["id"]) for view in
                        host.ask("GET", f"/v1/{kind}?size=10000&deleted=true").json[kind]}
                 for kind in ("sessions", "batches")}
        host.stop()
        self._check_leftovers(known)
        self.violations += host.problems
        assert not self.violations, (f"{len(self.violations)} violations:\n" + "\n".join(self.violations[:25]) +
                                     "\nthe host's log ends with\n" + host.log_end())

    def statement_view(self, statement, wait=""):
        path = f"/v1/sessions/{statement.session.number}/statements/{statement.number}{wait}"
        return self.host.ask("GET", path)

    def look(self, statement, wait=""):
        """Asks for it and notes what was seen."""
        generation = self.host.generation
        answer = self.statement_view(statement, wait)
        if answer.status != 200:
            self.violated(f"{statement.what}: was acknowledged and is lost: {answer}")
            return None
        view = answer.json
        if view["code"] != statement.code:
            self.violated(f"{statement.what}: has become {view['code']!r}")
        # Where the host was killed meanwhile the answer is of a later start.
        statement.see(self, max(generation, self.host.generation), view)
        if statement.over():
            if statement.final is None:
                statement.final = view
            elif statement.final != view:
                self.violated(f"{statement.what}: was told as\n  {json.dumps(statement.final)}\nand now is\n"
                              f"  {json.dumps(view)}")
        return view

    def cancel_unheard(self, session):
        """Code that never ends, of a POST whose answer was not heard, holds up all behind it."""
        if session.over() or "spin" not in session.unanswered:
            return
        path = f"/v1/sessions/{session.number}/statements"
        for view in self.host.ask("GET", f"{path}?size=10000").json["statements"]:
            if view["code"] == "spin" and view["id"] not in session.statements and view["completed"] is None:
                self.host.ask("POST", f"{path}/{view['id']}/cancel")

    def _settle(self, session, statement, deadline):
        if statement.over():
            return
        if statement.code == "spin" and not statement.cancel_acknowledged:
            # Its turn must have come, or else others are waited for.
            self.host.ask("POST", f"/v1/sessions/{session.number}/statements/{statement.number}/cancel")
            statement.cancel_asked = True
        left = max(1, int(deadline - time.monotonic()))
        view = self.look(statement, f"?wait={min(left, 30)}s")
        if view is not None and not statement.over():
            lost = " although its cancel was acknowledged" if statement.cancel_acknowledged else ""
            self.violated(f"{statement.what}: still {view['state']}{lost}; the session's view: "
                          f"{self.host.ask('GET', f'/v1/sessions/{session.number}').body.decode()[:900]}")

    def _check_session(self, session):
        answer = self.host.ask("GET", f"/v1/sessions/{session.number}")
        if answer.status != 200:
            return self.violated(f"{session.what}: was acknowledged and is lost: {answer}")
        view = answer.json
        session.see(self, self.host.generation, view)
        if session.delete_acknowledged and not (session.over() and view["deleted"]):
            self.violated(f"{session.what}: its DELETE was answered, and it is {view['state']}")
        reason = view.get("reason") or ""
        if (self.takes_up and not self.drivers_die and not session.end_asked
                and session.number not in self.killed_by_user and session.was_settled()
                and session.over()):
            self.violated(f"{session.what}: did not survive the host: {view['state']}, {reason}")

    def _check_finals(self):
        """Also after the session was deleted a result is what it was."""
        for session in list(self.sessions.values()):
            wanted = {number: statement for number, statement in session.statements.items() if statement.final}
            if not wanted:
                continue
            page = self.host.ask("GET", f"/v1/sessions/{session.number}/statements?size=10000").json["statements"]
            found = {view["id"]: view for view in page}
            for number, statement in wanted.items():
                # The list's view may leave things out; what it has is the same.
                view = found.get(number)
                if view is None:
                    self.violated(f"{statement.what}: is not in the list")
                elif any(statement.final.get(key) != value for key, value in view.items() if key in statement.final):
                    self.violated(f"{statement.what}: was told as\n  {json.dumps(statement.final)}\nand is listed as\n"
                                  f"  {json.dumps(view)}")

    def _check_effects(self):
        """What drivers and applications have written down themselves."""
        started, ended, order, ran = {}, {}, {}, {}
        for line in self.host.effects.read_text().splitlines():
            words = line.split()
            if words[1].startswith("/"):  # of a batch: PID NAME
                ran[words[1]] = ran.get(words[1], 0) + 1
                continue
            place = (int(words[0]), int(words[1]) - 1)
            if words[2] == "start":
                started[place] = started.get(place, 0) + 1
                order.setdefault(place[0], []).append(("start", place[1]))
            else:
                ended[place] = words[3]
                order.setdefault(place[0], []).append(("end", place[1]))
        for (session, number), times in started.items():
            if times > 1:
                self.violated(f"statement {session}/{number} was run {times} times")
        for session, steps in order.items():
            numbers = [number for what, number in steps if what == "start"]
            if numbers != sorted(numbers):
                self.violated(f"session {session}: statements ran in the order {numbers}")
            running = None
            for what, number in steps:
                if what == "start" and running is not None:
                    self.violated(f"session {session}: {number} was started while {running} ran")
                running = number if what == "start" else None
        for session in list(self.sessions.values()):
            counted = {}
            for number, statement in sorted(session.statements.items()):
                self._check_outcome(statement, started, ended)
                view = statement.final or {}
                if statement.code == "count" and view.get("outcome") == "ok":
                    value = int((view.get("output") or {}).get("data", {}).get("text/plain", "-1"))
                    last = counted.get(statement.kind, 0)
                    if value <= last:
                        self.violated(f"{statement.what}: counted {value} after {last}: variables were lost")
                    counted[statement.kind] = value
        for name, times in ran.items():
            if times > 1:
                self.violated(f"the application {name} was run {times} times")
        for batch in list(self.batches.values()):
            if batch.state == "success" and ran.get(batch.name, 0) != 1:
                self.violated(f"{batch.what}: success, and it ran {ran.get(batch.name, 0)} times")

    def _check_outcome(self, statement, started, ended):
        view = statement.final
        if view is None:
            return
        place = (statement.session.number, statement.number)
        outcome, told = view.get("outcome"), ended.get(place)
        # Its session has ended for another reason than the host's death.
        excused = (not self.takes_up or self.drivers_die or statement.session.end_asked
                   or statement.session.number in self.killed_by_user)
        if outcome == "ok":
            if started.get(place, 0) != 1 or not (told == "ok" or (told or "").startswith("counted-")):
                self.violated(f"{statement.what}: ok was told, but the driver says {told}")
            data = (view.get("output") or {}).get("data", {}).get("text/plain")
            if statement.code == "count" and told != f"counted-{data}":
                self.violated(f"{statement.what}: the result is {data}, the driver had {told}")
            if statement.code.startswith("echo ") and data != statement.code[5:]:
                self.violated(f"{statement.what}: the result is {data!r}")
            printed = re.fullmatch(r"print (\d+)", statement.code)
            if printed:
                lines = "".join(f"line {n}\n" for n in range(1, int(printed[1]) + 1))
                if data != lines:
                    self.violated(f"{statement.what}: the result is {data!r}")
                if view.get("stdout") != lines:
                    self.violated(f"{statement.what}: its output is {view.get('stdout')!r}")
        elif told is not None and (told == "ok" or told.startswith("counted-")) and not excused:
            self.violated(f"{statement.what}: its code has ended well, and its result got lost: "
                          f"{json.dumps(view)[:500]}")
        elif outcome == "error" and statement.code != "fail" and not excused and not statement.cancel_asked:
            self.violated(f"{statement.what}: it cannot fail, and it did: {json.dumps(view)[:500]}")
        if view["state"] == "cancelled" and not statement.cancel_asked and not excused:
            self.violated(f"{statement.what}: cancelled, and nobody has asked for it")

    def _check_processes(self):
        """All is over: while the host is there, drivers and supervisors end soon."""
        server = self.host.server
        end = time.monotonic() + 15
        while server.children() and time.monotonic() < end:
            time.sleep(0.05)
        for pid in server.children():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    command = file.read().replace(b"\0", b" ")
            except OSError:
                continue
            self.violated(f"process {pid} was left behind: {command[:300]}")

    def _check_leftovers(self, known):
        """Of a POST that was not answered a folder may be left, of no session or batch."""
        server = self.host.server
        allowed = {
            "sessions": re.compile(r"session\.log|output(/.*)?"),
            "batches": re.compile(r"batch\.log|\d+\.(process|end)|files(/.*)?"),
        }
        for kind, pattern in allowed.items():
            for folder in (server.data / kind).glob("*"):
                if folder.name not in known[kind]:
                    continue
                for path in folder.rglob("*"):
                    name = path.relative_to(folder).as_posix()
                    if not pattern.fullmatch(name):
                        self.violated(f"stray file {kind}/{folder.name}/{name}")
