"""What R says to what people type."""

import json
import signal

import pytest
import worker_driver


def test_only_the_last_visible_value_is_shown(r):
    assert r.text("1 + 2") == "[1] 3"
    assert r.text("1\n2\n3") == "[1] 3"
    assert r.text("x <- 5") == ""
    assert r.text("x; y <- 2") == ""
    assert r.text("invisible(7)") == ""
    assert r.text("x <- 1; (x <- 2)") == "[1] 2"
    assert r.text("NULL") == "NULL"
    assert r.text("") == "" and r.text("# nothing") == ""


def test_what_is_printed_comes_before_the_value(r):
    assert r.text('cat("one\\n"); print("two"); 3') == 'one\n[1] "two"\n[1] 3'
    assert r.text('for (i in 1:2) print(i)') == "[1] 1\n[1] 2"
    assert r.text('system("echo child"); 1') == "child\n[1] 1"


def test_variables_and_functions_live_on(r):
    assert r.text("twice <- function(x) {\n  2 * x # doubled\n}") == ""
    assert r.text("twice(21)") == "[1] 42"
    assert r.text("twice") == "function(x) {\n  2 * x # doubled\n}"
    assert r.text("ls(all.names = TRUE)").count("twice") == 1


def test_the_workspace_is_the_users_alone(start):
    worker = start()
    assert worker.text("ls(all.names = TRUE)") == "character(0)"
    assert worker.text("sys.call(); environmentName(environment())") == '[1] "R_GlobalEnv"'
    worker.ok("rm(list = ls(all.names = TRUE)); toJSON <- c <- list <- function(...) stop('mine')")
    assert worker.text("1 + 1") == "[1] 2"


def test_printing_methods_of_the_user_are_used(r):
    r.ok('print.pet <- function(x, ...) cat("a pet called", x$name, "\\n")')
    assert r.text('structure(list(name = "Rex"), class = "pet")') == "a pet called Rex"
    r.ok('setClass("P", representation(x = "numeric")); '
         'setMethod("show", "P", function(object) cat("<P", object@x, ">\\n"))')
    assert r.text('new("P", x = 3)') == "<P 3 >"
    assert r.text("data.frame(a = 1:2, b = c('x', 'é'))") == "  a b\n1 1 x\n2 2 é"


def test_text_of_all_the_world_goes_through(start):
    for env in ({}, {"LC_ALL": "C", "LANG": "C"}):
        worker = start(env=env)
        assert worker.text('x <- "Grüße, 世界 \U0001f600"; cat(x)') == "Grüße, 世界 \U0001f600", env
        assert worker.text("nchar(x)") == "[1] 11"
        assert worker.text('c(ä = 1)') == "ä \n1"


def test_escapes_in_code_are_the_users_own(r):
    assert r.text(r'cat("a\\b\"c\td")') == 'a\\b"c\td'
    assert r.text("cat('%d%%\\n')") == "%d%%"
    assert r.text("x <- 1\r\nx + 1\r\n") == "[1] 2"


def test_width_is_an_option(r):
    r.ok("options(width = 40)")
    assert r.text("1:20").count("\n") == 1
    r.ok("options(width = 80)")
    assert r.text("1:20").count("\n") == 0


def test_error_has_message_and_call(r):
    r.ok("inner <- function(x) stop('too small: ', x)\nouter <- function(x) inner(x)")
    error = r.error("outer(1)")
    assert error["ename"] == "Error"
    assert error["evalue"] == "Error in inner(x) : too small: 1"
    assert error["traceback"] == ["1: outer(1)\n", "2: inner(x)\n", '3: stop("too small: ", x)\n']
    assert r.error("stop('plain')")["evalue"] == "Error: plain"
    assert "object 'nope' not found" in r.error("nope")["evalue"]
    assert r.error("log(-1:2, 'x')")["evalue"].startswith("Error in log(-1:2, \"x\") :")
    assert r.error("stop(structure(class = c('mine', 'error', 'condition'), "
                   "list(message = 'own', call = NULL)))")["evalue"] == "Error: own"


def test_unfinished_and_wrong_code_is_refused_and_nothing_runs(r):
    error = r.error("x[")
    assert error["ename"] == "Error" and "<text>:2:0: unexpected end of input" in error["evalue"]
    assert "unexpected symbol" in r.error("ran <- TRUE\na b")["evalue"]
    assert r.text("exists('ran')") == "[1] FALSE"


def test_output_before_an_error_belongs_to_it(r):
    result = r.run("cat('before\\n')\nstop('now')")
    assert result.outcome == worker_driver.ERROR and result.stdout == "before\n"
    assert r.text("1") == "[1] 1"


def test_warnings_are_shown_as_r_shows_them(r):
    assert r.text("as.integer('x')") == (
        "[1] NA\nWarning message:\nNAs introduced by coercion")
    r.ok("careful <- function(i) warning('w', i)")
    assert r.text("careful(1); careful(2)") == (
        "Warning messages:\n1: In careful(1) : w1\n2: In careful(2) : w2")
    assert "There were 12 warnings (use warnings() to see them)" in r.text(
        "for (i in 1:12) careful(i)")
    assert "w12" in r.text("warnings()")
    assert r.text("suppressWarnings(careful(1)); 2") == "[1] 2"
    assert r.text("tryCatch(careful(1), warning = function(w) 'caught')") == '[1] "caught"'
    result = r.run("careful(1); stop('then')")
    assert "In addition: Warning message:\nIn careful(1) : w1\n" in result.stderr
    r.ok("options(warn = 2)")
    assert "converted from warning" in r.error("careful(1)")["evalue"]
    r.ok("options(warn = 0)")


def test_messages_are_standard_error(r):
    result = r.run("message('note'); cat('text\\n')")
    assert (result.stdout, result.stderr) == ("text\n", "note\n")


def test_deep_recursion_is_an_error(r):
    evalue = r.error("f <- function() f()\nf()")["evalue"]
    assert "nested too deeply" in evalue or "C stack usage" in evalue
    assert r.text("1 + 1") == "[1] 2"


def test_there_is_no_standard_input(r):
    assert "standard input" in r.error("readline('name? ')")["evalue"]
    assert r.text("length(readLines(stdin()))") == "[1] 0"
    assert r.text("length(readLines(file('stdin')))") == "[1] 0"


def test_closing_all_connections_spares_the_worker(r):
    r.ok("f <- textConnection('x'); sink(tempfile())")
    r.ok("closeAllConnections()")
    assert r.text("cat('heard')") == "heard"
    assert "TRUE" not in r.text("tryCatch(isOpen(f), error = function(e) 'closed')")


def test_abort_ends_the_statement_alone(r):
    assert r.error("invokeRestart('abort')")["evalue"] == "Error: the code was aborted"
    assert r.text("1") == "[1] 1"


@pytest.mark.parametrize("code", [
    "cat('go\\n'); repeat {}", "cat('go\\n'); Sys.sleep(100)",
    "cat('go\\n'); system('sleep 100'); Sys.sleep(100)",
    "cat('go\\n'); x <- 0; while (TRUE) x <- tryCatch(x + 1, error = function(e) 0)"])
def test_what_runs_is_interrupted_and_the_workspace_stays(r, code):
    r.ok("kept <- 5")
    statement = r.start(code)
    r.stdout.wait_for(b"go")
    r.interrupt_until_it_ends(statement)
    assert r.wait(statement).outcome == worker_driver.CANCELLED
    assert r.text("kept") == "[1] 5"


def test_users_own_handler_sees_the_interrupt(r):
    statement = r.start("tryCatch({ cat('go\\n'); Sys.sleep(100) }, interrupt = function(c) 'mine')")
    r.stdout.wait_for(b"go")
    r.interrupt(statement)
    assert r.wait(statement).bundle == {"text/plain": 'go\n[1] "mine"'}


def test_late_interrupt_hits_no_other_statement(r):
    for _ in range(60):
        r.process.send_signal(signal.SIGINT)
        result = r.run("for (i in 1:1000) i; 'whole'")
        if result.outcome == worker_driver.OK:
            assert result.bundle == {"text/plain": '[1] "whole"'}
        else:  # it was in time for this one
            assert result.outcome == worker_driver.CANCELLED
    r.process.send_signal(signal.SIGINT)
    assert len(r.ok("%json strrep('x', 5e6)")["application/json"]) == 5000000
    assert r.text("1") == "[1] 1"


def test_completion_is_rs_own(r):
    r.ok("zebra_count <- 1; frame <- data.frame(height = 1, weight = 2)")
    assert r.complete("zebra") == ["zebra_count"]
    assert set(r.complete("frame$")) == {"frame$height", "frame$weight"}
    assert "utils::head" in r.complete("utils::hea")
    assert r.complete("x <- 1\nzebra + 2", 12) == ["zebra_count"]
    assert "print" in r.complete("prin")
    assert r.complete("no_such_name_") == []


def test_inspection_tells_signature_class_and_help(r):
    r.ok("half <- function(x, digits = 2L) round(x / 2, digits) # a remark")
    assert r.inspect("half(4)", 2) == "half: function\nhalf(x, digits = 2L)"
    assert r.inspect("1 + half(4, ") == "half: function\nhalf(x, digits = 2L)"
    assert "# a remark" not in r.inspect("half") and "round(x / 2, digits)" in r.inspect("half", detail=1)
    mean = r.inspect("x <- mean")
    assert mean.startswith("mean: function, of base\nmean(x, ...)\n") and "Arithmetic Mean" in mean
    assert len(r.inspect("mean", detail=1)) > len(mean)
    assert r.inspect("stats::median").startswith("stats::median: function, of stats\nstats::median(x, na.rm = FALSE")
    assert r.inspect("sum").startswith("sum: function, of base\nsum(..., na.rm = FALSE)")
    assert r.inspect("`if`").startswith("`if`: function, of base"), "syntax is no error"
    r.ok("median <- 5")
    assert r.inspect("median") == "median: numeric\n num 5", "the user's own has no help page"
    r.ok("rm(median)")


def test_inspection_tells_what_a_value_is(r):
    r.ok("pets <- data.frame(name = c('Rex', 'Tom'), age = 3:4); deep <- list(a = list(b = 1:3))")
    assert r.inspect("pets") == (
        "pets: data.frame\n'data.frame':\t2 obs. of  2 variables:\n"
        ' $ name: chr  "Rex" "Tom"\n $ age : int  3 4')
    assert r.inspect("head(pets$age") == "pets$age: integer\n int [1:2] 3 4"
    assert r.inspect("deep$a$b") == "deep$a$b: integer\n int [1:3] 1 2 3"
    assert r.inspect("x\npets\ny", 4).startswith("pets: data.frame")
    r.ok("makeActiveBinding('boom', function() stop('it was read'), globalenv())")
    assert r.inspect("boom") == "boom: an active binding"
    for unknown in ("no_such_name_", "pets$none", "", "  ", "1 +", "nopackage::x", "x[", "'text'$a"):
        assert r.inspect(unknown) is None, unknown


def test_magics_give_values_and_expressions(r):
    r.ok("frame <- data.frame(id = 1:2, name = c('ak', NA), x = c(1.5, NaN), stringsAsFactors = FALSE)")
    assert r.ok("%json frame") == {"application/json": [
        {"id": 1, "name": "ak", "x": 1.5}, {"id": 2, "name": None, "x": None}]}
    assert r.ok("%json list(a = 1, b = c(1, 2))") == {"application/json": {"a": 1, "b": [1, 2]}}
    assert r.ok("%json 'ak'") == {"application/json": "ak"}
    assert r.ok("cat('said')\n%json 1") == {"application/json": 1, "text/plain": "said"}
    assert r.ok("y <- 3\n%json y\n") == {"application/json": 3}
    assert r.text("%json y\ny + 1") == "[1] 4"


TABLE = "application/vnd.livy.table.v1+json"


@pytest.mark.parametrize("expression, headers, data", [
    ("data.frame(id = 1:2, name = c('ak', NA), x = c(1.5, 2))",
     [("INT_TYPE", "id"), ("STRING_TYPE", "name"), ("DOUBLE_TYPE", "x")], [[1, "ak", 1.5], [2, None, 2]]),
    ("data.frame(d = as.Date('2024-02-29'), f = factor('low'), l = TRUE, n = NA)",
     [("DATE_TYPE", "d"), ("STRING_TYPE", "f"), ("BOOLEAN_TYPE", "l"), ("NULL_TYPE", "n")],
     [["2024-02-29", "low", True, None]]),
    ("list(list(1L, 'a'), list(3L, 'b', TRUE))",
     [("INT_TYPE", "0"), ("STRING_TYPE", "1"), ("BOOLEAN_TYPE", "2")], [[1, "a", None], [3, "b", True]]),
    ("list(list(b = 1L), list(a = 'x', b = NULL))",
     [("INT_TYPE", "b"), ("STRING_TYPE", "a")], [[1, None], [None, "x"]]),
    ("matrix(1:4, 2)", [("INT_TYPE", "0"), ("INT_TYPE", "1")], [[1, 3], [2, 4]]),
    ("c(1L, NA)", [("INT_TYPE", "0")], [[1], [None]]),
    ("list()", [], []),
    ("data.frame(a = integer())", [("INT_TYPE", "a")], []),
])
def test_tables_have_typed_headers_and_whole_rows(r, expression, headers, data):
    table = r.ok("%table " + expression)[TABLE]
    assert [(h["type"], h["name"]) for h in table["headers"]] == headers
    assert table["data"] == data


def test_wide_tables_keep_headers_and_cells_in_step(r):
    table = r.ok("%table as.data.frame(matrix(rep(1:20, each = 10000), 10000))")[TABLE]
    assert len(table["data"]) == 10000 and [h["name"] for h in table["headers"]][10] == "V11"
    assert table["data"][9999] == list(range(1, 21))


@pytest.mark.parametrize("code, name, value", [
    ("%foo", "UnknownMagic", "unknown magic command 'foo'"),
    ("%", "UnknownMagic", "magic command not specified"),
    ("%json", "MagicError", "%json needs an expression, as in: %json x"),
    ("%json nope", "Error", "Error: object 'nope' not found"),
    ("%table list(list(1), list('a'))", "TypeError", "table rows have different types"),
])
def test_failed_magics_are_errors(r, code, name, value):
    error = r.error(code)
    assert (error["ename"], error["evalue"]) == (name, value)


def test_percent_operators_are_no_magics(r):
    assert r.text("5 %/%\n2") == "[1] 2"
    assert r.text("x <- '\n%json y\n'; nchar(x)") == "[1] 9"


def test_plain_r_says_the_way_to_spark(r):
    for call in ("sparkR.session()", "sql('select 1')"):
        assert "/nonexistent/R/lib/SparkR does not exist" in r.error(call)["evalue"]
    assert r.ready["spark"] is False and r.ready["r"].count(".") == 2


def test_without_spark_it_does_not_start_unless_allowed(start):
    with pytest.raises(worker_driver.Dead) as dead:
        start(env={"HEARTH_R_PLAIN": "0"})
    assert "SparkR is not installed: /nonexistent/R/lib/SparkR does not exist" in str(dead.value)
    assert "spark.hearth.r.plain=true" in str(dead.value)


def test_stop_ends_it(start):
    assert start().stop() == 0


def test_large_results_are_refused_not_lost(r):
    assert r.error("%json strrep('x', 60 * 1024 * 1024)")["ename"] == "ResultTooLarge"
    assert json.dumps(r.ok("%json 1:3")) == '{"application/json": [1, 2, 3]}'
