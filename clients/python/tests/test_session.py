"""Sessions and statements, on the echo plugin."""

import io
import threading
import time

import hearth
import pytest


def test_code_runs_and_its_text_comes_back(session):
    result = session.run("hello")
    assert (result.text, result.ok, result.id) == ("hello", True, 0)
    assert session.run("print some text").stdout == "some text\n"
    assert [view["code"] for view in session.statements()] == ["hello", "print some text"]


def test_code_that_fails_raises_what_the_interpreter_said(session):
    with pytest.raises(hearth.StatementError) as failure:
        session.run("fail")
    error = failure.value
    assert (error.name, error.value, error.traceback) == ("EchoError", "asked to fail", [])
    assert str(error) == "EchoError: asked to fail" and error.result.statement["id"] == 0
    assert session.run("again").text == "again"


def test_a_session_ends_with_its_block(server):
    with hearth.Session(server.url, kind="echo") as made:
        assert made.state == "idle"
    assert server.get("/sessions/%d" % made.id).status == 404
    made.close()  # once more harms nothing


def test_another_client_attaches_by_id_or_name_and_leaves_it_alive(server):
    with hearth.Session(server.url, kind="echo", name="a name & ü?") as made:
        for known in (made.id, str(made.id), "a name & ü?"):
            with hearth.Session.attach(known, server.url) as other:
                assert other.id == made.id
                assert other.run("hi").text == "hi"
        assert made.state == "idle"


def test_what_the_server_refuses_is_an_error_with_its_reason(server):
    with pytest.raises(hearth.HttpError) as refused:
        hearth.Session(server.url, kind="nosuch")
    assert refused.value.status in (400, 422) and "nosuch" in str(refused.value)
    with pytest.raises(hearth.HttpError) as refused:
        hearth.Session(server.url, kind="echo", drivermemory="1g")
    assert "driverMemory" in str(refused.value), "the nearest field is named"
    with pytest.raises(hearth.HttpError) as refused:
        hearth.Session.attach(10**6, server.url)
    assert refused.value.status == 404


def test_a_session_that_died_says_why(server):
    with hearth.Session(server.url, kind="echo") as made:
        with pytest.raises(hearth.StatementError):
            made.run("die")
        server.until("it is dead", lambda: made.state == "dead")
        with pytest.raises(hearth.SessionError) as failure:
            made.run("hello")
        assert "dead" in str(failure.value)
        assert made.log()


def test_interrupt_stops_the_running_statement_and_cancel_a_given_one(server, session):
    for stop in (session.interrupt, lambda: session.cancel(number)):
        number = session.submit("slow 1000")
        server.until("it runs", lambda: session.state == "busy")
        stop()
        result = session.wait(number)
        assert result.statement["state"] == "cancelled" and not result.ok
        session.cancel(number)  # it has ended: nothing happens


def test_a_statement_that_takes_too_long_raises_and_goes_on(session):
    with pytest.raises(TimeoutError):
        session.run("slow 1", timeout=0.1)
    with pytest.raises(TimeoutError):
        session.run("slow 1", timeout=0.1, on_event=lambda event, data: None)
    assert session.wait(0).text == "slow 1"
    assert session.wait(1).text == "slow 1"


def test_ctrl_c_cancels_the_statement(session):
    def stop(event, data):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.run("slow 1000", on_event=stop)
    assert session.wait(0).statement["state"] == "cancelled"


def test_output_comes_while_the_code_runs_and_once(session):
    number = session.submit("slow 2")
    begun = time.monotonic()
    first = next(session.events(number))
    assert first[0] in ("state", "progress") and time.monotonic() - begun < 1.5
    session.wait(number)

    seen = []
    session.run("lines 500", on_event=lambda *event: seen.append(event))
    text = "".join(data["text"] for event, data in seen if event == "output")
    assert text == "".join("line %d\n" % i for i in range(1, 501))
    assert seen[-1][0] == "state" and seen[-1][1]["output"]["status"] == "ok"
    assert list(session.events(1))[-1][1]["state"] == "available", "also afterwards"


class Flaky:
    """Http whose streams break off after some lines."""

    def __init__(self, http, lines):
        self._http, self._lines, self.opened = http, lines, []

    def __getattr__(self, name):
        return getattr(self._http, name)

    def stream(self, path, headers, timeout=None):
        self.opened.append(headers.get("Last-Event-ID"))
        return self._break_off(self._http.stream(path, headers, timeout))

    def _break_off(self, response):
        lines = self._lines

        class Broken:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                response.close()

            def __iter__(self):
                for _ in range(lines):
                    yield next(response)
                raise ConnectionResetError("broken off")

        return Broken()


def test_a_connection_that_breaks_off_loses_and_doubles_nothing(session):
    session.run("lines 30000")  # of more than one event
    whole = "".join(d["text"] for e, d in session.events(0) if e == "output")
    session._http = Flaky(session._http, 4 * 3)
    events = list(session.events(0))
    assert "".join(d["text"] for e, d in events if e == "output") == whole
    assert events[-1][1]["state"] == "available"
    assert len(session._http.opened) > 2 and session._http.opened[0] is None
    assert all(session._http.opened[1:]), "it resumed behind what it had"


class NoEvents(Flaky):
    def stream(self, path, headers, timeout=None):
        raise hearth.HttpError(404, {"detail": "no such path"}, "GET", path)


def test_a_server_without_events_is_polled(session):
    session._http = NoEvents(session._http, 0)
    seen = []
    session.run("lines 10", on_event=lambda *event: seen.append(event))
    assert "".join(d["text"] for e, d in seen if e == "output").endswith("line 10\n")
    assert seen[-1][0] == "state" and seen[-1][1]["state"] == "available"
    with pytest.raises(hearth.HttpError):
        list(session.events(99))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_live_output_is_printed_under_a_bar(session, capsys):
    session.run("print hello", live=True)
    assert capsys.readouterr() == ("hello\n", ""), "no bar where there is no terminal"

    out, err = io.StringIO(), Terminal()
    live = hearth.Live(out, err)
    live("progress", {"progress": 0.5})
    assert err.getvalue() == "\r[###############...............]  50%"
    live("output", {"stream": "stdout", "text": "a line\n"})
    live("output", {"stream": "stderr", "text": "an error\n"})
    live("state", {"state": "available"})
    assert out.getvalue() == "a line\n"
    shown = err.getvalue()
    assert "an error\n" in shown and shown.endswith(" \r"), "at the end the bar is gone"


def test_threads_may_share_a_session(session):
    texts = []
    threads = [threading.Thread(target=lambda i=i: texts.append(session.run("from %d" % i).text))
               for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(texts) == ["from %d" % i for i in range(8)]


def test_a_session_is_kept_as_a_notebook(session):
    session.run("hello")
    book = session.notebook()
    assert book["nbformat"] == 4 and book["cells"][-1]["source"] in ("hello", ["hello"])


def test_completion_asks_at_the_end_of_the_code(session):
    assert isinstance(session.complete("pri"), list)


def test_a_session_is_followed_to_its_end_also_over_connections_that_break_off(server):
    with hearth.Session(server.url, kind="echo") as made:
        made.run("hello")
        made._http = Flaky(made._http, 7)
        seen = []
        for event, data in made.follow(timeout=60):
            if event == "statement" and data["outcome"] == "ok":
                hearth.Session.attach(made.id, server.url).close()
            seen.append((event, data))
    assert [data["state"] for event, data in seen if event == "statement"] == ["waiting", "running", "available"]
    assert seen[-1][0] == "state" and seen[-1][1]["state"] == "dead" and seen[-1][1]["ended"]
    log = [line for event, data in seen if event == "log" for line in data["lines"]]
    assert len(log) == len(set(log)) and any("deleted by a client" in line for line in log)


def test_following_a_session_that_lives_on_ends_with_the_time(session):
    with pytest.raises(TimeoutError):
        for _ in session.follow(timeout=0.5):
            pass


def test_a_kind_that_cannot_inspect_knows_nothing(session):
    assert session.inspect("name") is None
