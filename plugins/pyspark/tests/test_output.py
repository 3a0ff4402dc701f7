"""Output: everything that a statement prints, by any way, is its own and complete before its result."""

import pytest


def test_print_from_python(shared):
    result = shared.run("import sys\nprint('o')\nprint('e', file=sys.stderr)")
    assert (result.stdout, result.stderr) == ("o\n", "e\n")


def test_text_before_an_error_belongs_to_the_statement_that_printed_it(shared):
    result = shared.run("print('before')\n1/0")
    assert result.stdout == "before\n"
    assert shared.text("1+1") == "2"


def test_child_processes_print_into_the_statement(shared):
    assert shared.text("import os\nos.system('echo system')") == "system\n0"
    assert shared.text("import subprocess\nsubprocess.run(['echo', 'run'])\nNone") == "run"
    assert shared.run("_ = os.system('echo err >&2')").stderr == "err\n"


def test_c_code_prints_into_the_statement(shared):
    assert (
        shared.text("import ctypes\n_ = ctypes.CDLL(None).printf(b'from C, no newline')")
        == "from C, no newline"
    )
    assert shared.text("1+1") == "2"


def test_c_code_that_prints_a_megabyte_with_the_gil_held_does_not_hang(shared):
    code = "import ctypes\nc = ctypes.PyDLL(None)\nfor _ in range(1024):\n    _ = c.printf(b'x' * 1024)"
    assert shared.text(code) == "x" * (1 << 20)


def test_fifty_megabytes_come_through(shared):
    assert len(shared.run("print('y' * 50_000_000)").stdout) == 50_000_001
    assert len(shared.run("for _ in range(50_000): print('z' * 999)").stdout) == 50_000_000
    assert (
        len(shared.run("import os\nfor _ in range(50): n = os.write(2, b'w' * 1_000_000)").stderr)
        == 50_000_000
    )


def test_threads_print_into_the_statement_that_waits_for_them(shared):
    code = """
import threading
def say(n):
    for i in range(100): print("%d-%d" % (n, i))
threads = [threading.Thread(target=say, args=(n,)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
"""
    assert sorted(shared.text(code).split()) == sorted(
        "%d-%d" % (n, i) for n in range(8) for i in range(100)
    )


def test_thread_that_prints_on_does_no_harm(shared):
    shared.run(
        "import threading, time\ngo = True\ndef on():\n    while go: print('tick'); time.sleep(0.0005)"
    )
    shared.run("t = threading.Thread(target=on); t.start()")
    for n in range(200):
        assert shared.run("%d+1" % n).bundle["text/plain"].split("\n").count(str(n + 1)) == 1
    shared.run("go = False; t.join()")
    assert shared.text("1+1") == "2"


@pytest.mark.parametrize(
    "harm",
    [
        "import os; os.close(1)",
        "import os; os.close(2)",
        "import os; os.close(0); os.close(1); os.close(2)",
        "import os; os.closerange(0, 3)",
        "import os; os.dup2(os.open('/dev/null', os.O_WRONLY), 1)",
        "import os; os.dup2(1, 2)",
        "import os; r, w = os.pipe(); os.dup2(w, 1); os.close(w)",
        "import os; os.set_blocking(1, False); os.set_blocking(2, False)",
        "import sys; sys.stdout.close()",
        "import sys; sys.stdout = None",
        "import sys; sys.stdout = sys.stderr = 5",
        "import sys, io; sys.stdout = io.StringIO(); print('lost')",
        "import sys; del sys.stdout, sys.stderr, sys.stdin",
        "import sys; sys.stdout.detach()",
        "import sys; sys.stdin.close()",
        "import sys; sys.stdout.buffer.close()",
        "import sys; sys.stdout.buffer.raw.close()",
        "import sys; sys.__stdout__ = sys.__stderr__ = None; sys.stdout = open('/dev/full', 'w'); print('x')",
        "import sys\nclass W:\n    def write(self, t): raise OSError('no')\n    def flush(self): raise KeyError\nsys.stdout = sys.stderr = W()",
        "import sys\nclass W:\n    def flush(self): sys.exit()\nsys.stdout = W()",
        "import os, sys; os.close(1); print('into nowhere')",
        "import sys; sys.stderr.close(); 1/0",
    ],
)
def test_a_statement_that_ruins_its_streams_ruins_only_its_own(shared, harm):
    shared.run(harm)
    result = shared.run(
        "import os, sys\nprint('out')\nprint('err', file=sys.stderr)\n_x = os.system('echo child')"
    )
    assert (result.outcome, result.stdout, result.stderr) == (0, "out\nchild\n", "err\n")
    assert shared.error("input()")["ename"] == "EOFError"
    assert shared.text("1+1") == "2"


def test_large_output_to_a_non_blocking_descriptor_is_whole_from_the_next_statement_on(shared):
    shared.run("import os; os.set_blocking(1, False)")
    assert len(shared.run("print('v' * 5_000_000)").stdout) == 5_000_001


def test_redirected_descriptor_gets_what_was_printed_to_it(shared, tmp_path):
    path = str(tmp_path / "into")
    shared.run(
        "import os\nos.dup2(os.open(%r, os.O_WRONLY | os.O_CREAT), 1)\nprint('to the file', end='')"
        % path
    )
    assert open(path).read() == "to the file"
    assert shared.text("1+1") == "2"


def test_streams_are_text_streams_on_the_descriptors(shared):
    assert (
        shared.text("import sys; sys.stdout.fileno(), sys.stderr.fileno(), sys.stdin.fileno()")
        == "(1, 2, 0)"
    )
    assert (
        shared.text("sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.name")
        == "('utf-8', False, '<stdout>')"
    )
    assert shared.text("n = sys.stdout.buffer.write(b'bytes\\n')") == "bytes"
    assert (
        shared.text("import subprocess\nn = subprocess.call(['echo', 'given'], stdout=sys.stdout)")
        == "given"
    )


def test_lines_come_while_the_code_runs(shared):
    statement = shared.start("print('early')\nimport time\ntime.sleep(1000)")
    shared.stdout.wait_for(b"early\n")
    shared.interrupt(statement)
    assert shared.wait(statement).stdout == "early\n"


def test_children_do_not_hold_the_workers_private_descriptors(shared):
    listing = shared.text(
        "import subprocess\nprint(subprocess.run(['ls', '-l', '/proc/self/fd'], stdout=-1, close_fds=False).stdout.decode())"
    )
    assert "socket:" not in listing
