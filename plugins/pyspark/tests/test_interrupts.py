"""Interrupts: code really stops, the session works on, and no other statement is hit."""

import random
import time

import pytest

from fake_driver import CANCELLED, ERROR, OK

KEYBOARD_INTERRUPT = {
    "ename": "KeyboardInterrupt",
    "evalue": "",
    "traceback": ["Traceback (most recent call last):\n", "KeyboardInterrupt\n"],
}


def interrupted(worker, code, until=b"going"):
    statement = worker.start("print('going')\n" + code)
    worker.stdout.wait_for(until)
    worker.interrupt(statement)
    return worker.wait(statement)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time\ntime.sleep(1000)",
        "import os\nos.system('sleep 1000; echo never')",
        "import os\nwhile True: os.system('sleep 1000')",
        "import subprocess\nsubprocess.run(['sleep', '1000'])",
        "import subprocess\nsubprocess.run('sleep 1000; sleep 1000', shell=True)",
        "import threading\nthreading.Event().wait()",
        "import threading\nl = threading.Lock(); l.acquire(); l.acquire()",
        "import queue\nqueue.Queue().get()",
        "import select\nselect.select([], [], [])",
        "import socket\na, b = socket.socketpair()\na.recv(1)",
        "import os\nr, w = os.pipe()\nos.read(r, 1)",
        "import asyncio\nawait asyncio.sleep(1000)",
        "import asyncio\nasyncio.run(asyncio.sleep(1000))",
        "def f():\n    while True: yield 1\nsum(f())",
        "import re\n[re.match('(a*)*b', 'a' * 18) for _ in range(10**9)]",
        "class R:\n    def __repr__(self):\n        while True: pass\nR()",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
        "def g(n):\n    try:\n        return g(n + 1)\n    except RecursionError:\n        while True: pass\ng(0)",
        "import sys\nclass W:\n    def write(self, t): pass\n    def flush(self):\n        while True: pass\nsys.stdout = W()",
        "while True: print('more', end='')",
    ],
)
def test_code_stops_and_the_session_works_on(shared, code):
    shared.text("mark = 'kept'")
    start = time.monotonic()
    result = interrupted(shared, code)
    assert result.outcome == CANCELLED and result.bundle["ename"] == "KeyboardInterrupt", result
    assert time.monotonic() - start < 10
    assert shared.text("mark") == "'kept'"


def test_bundle_of_an_interrupt(shared):
    assert interrupted(shared, "while True: pass").bundle == KEYBOARD_INTERRUPT


@pytest.mark.parametrize(
    "tail, outcome",
    [
        ("    x = 'caught'\nx", OK),
        ("    1/0", ERROR),
        ("    raise", CANCELLED),
        ("    import sys; sys.exit()", ERROR),
    ],
)
def test_code_that_catches_the_interrupt_ends_as_it_then_does(shared, tail, outcome):
    statement = shared.start(
        "try:\n    print('trying')\n    while True: pass\nexcept KeyboardInterrupt:\n" + tail
    )
    shared.stdout.wait_for(b"trying")
    shared.interrupt(statement)
    result = shared.wait(statement)
    assert result.outcome == outcome
    assert shared.text("1+1") == "2"


def test_interrupt_that_makes_a_librarys_clean_up_fail_is_still_a_cancel(shared, tmp_path):
    (tmp_path / "clumsy.py").write_text(
        "import time\ndef work():\n    try:\n        print('at work')\n        time.sleep(1000)\n    finally:\n        unbound.close()\n"
    )
    shared.run("import sys; sys.path.append(%r); import clumsy" % str(tmp_path))
    result = interrupted(shared, "clumsy.work()", b"at work")
    assert (result.outcome, result.bundle) == (CANCELLED, KEYBOARD_INTERRUPT)


def test_second_interrupt_gets_through_to_code_that_caught_the_first(shared):
    statement = shared.start(
        "try:\n    print('going')\n    while True: pass\nexcept KeyboardInterrupt:\n    print('caught')\n    while True: pass"
    )
    shared.stdout.wait_for(b"going")
    shared.interrupt(statement)
    shared.stdout.wait_for(b"caught")
    shared.interrupt(statement)
    assert shared.wait(statement).outcome == CANCELLED


def test_interrupt_that_python_had_to_drop_is_raised_again(shared):
    code = "class D:\n    def __del__(self):\n        print('in del')\n        while True: pass\nd = D()\ndel d\nwhile True: pass"
    assert interrupted(shared, code, b"in del").outcome == CANCELLED


def test_raising_keyboard_interrupt_oneself_is_an_error_and_no_cancel(shared):
    assert shared.error("raise KeyboardInterrupt")["ename"] == "KeyboardInterrupt"
    assert shared.run("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n1").outcome == OK


def test_handler_that_user_code_installed_is_gone_with_its_statement(shared):
    shared.run("import signal; old = signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert interrupted(shared, "while True: pass").outcome == CANCELLED


def test_late_interrupt_hits_nothing(shared):
    statement = shared.start("1+1")
    assert shared.wait(statement).outcome == OK
    shared.interrupt(statement)
    shared.interrupt(statement + 1000)
    assert shared.text("import time; time.sleep(0.2); 'whole'") == "'whole'"


def test_interrupt_right_behind_its_statement_is_not_lost(shared):
    for _ in range(50):
        statement = shared.start("while True: pass")
        shared.interrupt(statement)
        assert shared.wait(statement).outcome == CANCELLED


def test_interrupt_of_a_waiting_statement_leaves_the_running_one(shared):
    first = shared.start("import time; time.sleep(0.3); 'first'")
    second = shared.start("while True: pass")
    shared.interrupt(second)
    assert shared.wait(first).bundle["text/plain"] == "'first'"
    assert shared.wait(second).outcome == CANCELLED


def test_interrupts_at_any_moment_never_kill_the_worker_nor_hit_the_next_statement(worker):
    chance = random.Random(7)
    bodies = [
        "for i in range(%d): pass",
        "import time\nfor i in range(%d // 2000): time.sleep(0.0001)",
        "for i in range(%d // 200): print(i)",
        "x = [str(i) for i in range(%d)]\nlen(x)",
        "1 / (0 * %d)",
        "%%json list(range(%d))",
        "import os\n_n = os.system('true')\nn = %d",
    ]
    outcomes = set()
    for number in range(200):
        statement = worker.start(chance.choice(bodies) % chance.choice([10, 10000, 300000]))
        time.sleep(chance.random() * chance.choice([0.0005, 0.01]))
        for _ in range(chance.choice([1, 1, 3])):
            worker.interrupt(statement)
        result = worker.wait(statement)
        outcomes.add(result.outcome)
        assert result.outcome in (OK, ERROR, CANCELLED)
        if result.outcome == ERROR:
            assert result.bundle["ename"] == "ZeroDivisionError"
        check = worker.run("s = 0\nfor i in range(2000): s += i\nprint(s)\n'next %d'" % number)
        assert (check.outcome, check.bundle["text/plain"]) == (OK, "1999000\n'next %d'" % number)
    assert outcomes == {OK, ERROR, CANCELLED}
