# Statements: a text is parsed whole, then run part by part in the user's workspace. A part is R code
# or a magic line. A text that parses as R is R, whatever its lines begin with.

DEEPEST_TRACEBACK <- 30L
MOST_WARNINGS <- 50L

noted <- new.env() # what warnings() gives: R's own place for it is closed to others

# Runs a statement to its end, whatever user code does. Returns its outcome, its bundle, and whether
# text/plain belongs to it even where nothing was printed. `interrupted` is called with the calls
# that were broken off.
run_statement <- function(code, interrupted) {
  take_interrupts() # meant for the statement before
  warned <- new.env()
  warned$list <- list()
  calls <- NULL
  depth <- 0L
  run <- function() {
    result <- NULL
    parts <- parse_parts(code)
    depth <<- sys.nframe()
    allowInterrupts(for (part in parts) result <- part())
    flush(stdout())
    if (is.null(result)) result <- list(bundle = list(), text = TRUE)
    c(list(outcome = DONE_OK), result)
  }
  on_warning <- function(w) {
    how <- getOption("warn")
    if (!is.numeric(how) || how >= 2) return() # R makes an error of it
    if (how == 1)
      cat(warning_text(w, "Warning"), "\n", sep = "", file = stderr())
    else if (how == 0 && length(warned$list) < MOST_WARNINGS)
      warned$list[[length(warned$list) + 1L]] <- w
    invokeRestart("muffleWarning")
  }
  result <- tryCatch(
    withRestarts(
      withCallingHandlers(run(), warning = on_warning, error = function(e) calls <<- sys.calls(),
                          interrupt = function(c) calls <<- sys.calls()),
      abort = function(...) failure(simpleError("the code was aborted"), NULL, 0L)),
    interrupt = function(c) {
      interrupted(calls)
      list(outcome = DONE_CANCELLED, bundle = error_bundle("Interrupted", "interrupted"))
    },
    error = function(e) failure(e, calls, depth))
  if (length(warned$list) > 0) report_warnings(warned$list, result$outcome == DONE_ERROR)
  result
}

parse_parts <- function(code) {
  code <- gsub("\r\n?", "\n", code)
  parts <- tryCatch(list(code_part(code)), error = function(e) {
    if (!grepl("(^|\n)%", code)) stop(e)
    NULL
  })
  if (is.null(parts)) mixed_parts(strsplit(code, "\n", fixed = TRUE)[[1]]) else parts
}

# Lines that begin with % are magics, unless the code before them goes on behind them.
mixed_parts <- function(lines) {
  parts <- list()
  begun <- character()
  for (line in lines) {
    before <- NULL
    if (startsWith(line, "%"))
      before <- tryCatch(code_part(paste(begun, collapse = "\n")), error = function(e) NULL)
    if (is.null(before)) {
      begun <- c(begun, line)
    } else {
      parts <- c(parts, before, magic_part(line))
      begun <- character()
    }
  }
  c(parts, if (any(nzchar(begun))) code_part(paste(begun, collapse = "\n")))
}

# A function that runs the code; only the last value is shown, where it is visible.
code_part <- function(code) {
  expressions <- parsed(code)
  function() {
    result <- NULL
    for (expression in as.list(expressions))
      result <- withVisible(eval(expression, globalenv()))
    if (!is.null(result) && result$visible) show_value(result$value)
    NULL
  }
}

parsed <- function(code) {
  tryCatch(parse(text = code, keep.source = TRUE, encoding = "UTF-8"),
           error = function(e) stop(simpleError(conditionMessage(e)))) # the call is not the user's
}

# As at R's prompt: methods that the user has defined are found.
show_value <- function(value) {
  frame <- new.env(parent = globalenv())
  frame$x <- value
  eval(if (isS4(value)) quote(methods::show(x)) else quote(print(x)), frame)
}

failure <- function(error, calls, depth) {
  if (inherits(error, "hearth_magic"))
    return(list(outcome = DONE_ERROR, bundle = error_bundle(error$name, conditionMessage(error))))
  call <- conditionCall(error)
  if (is_ours(call)) call <- NULL
  text <- conditionMessage(error)
  value <- if (is.null(call)) paste0("Error: ", text)
           else paste0("Error in ", deparsed(call), " : ", text)
  list(outcome = DONE_ERROR,
       bundle = error_bundle("Error", value, traceback_lines(calls, depth)))
}

error_bundle <- function(name, value, traceback = character()) {
  list(ename = name, evalue = value, traceback = I(as.character(traceback)))
}

# The evaluation of a top-level expression is ours, and says nothing to the user.
is_ours <- function(call) {
  is.call(call) && (identical(call, quote(eval(expression, globalenv()))) ||
                    identical(call[[1]], quote(withVisible)))
}

# The calls that led to the error, the outermost first, without those of the worker.
traceback_lines <- function(calls, depth) {
  if (length(calls) <= depth) return(character())
  calls <- calls[seq(depth + 1L, length(calls))]
  ours <- which(vapply(calls, function(call)
    identical(call, quote(eval(expression, globalenv()))), TRUE))
  if (length(ours) == 0) return(character())
  calls <- calls[-seq_len(max(ours))]
  lines <- vapply(calls, deparsed, "")
  # What signals the error, and our own handler.
  lines <- lines[!grepl("^(\\.handleSimpleError|h)\\(", lines)]
  if (length(lines) > DEEPEST_TRACEBACK)
    lines <- c(lines[seq_len(DEEPEST_TRACEBACK / 2L)], "...",
               lines[seq(length(lines) - DEEPEST_TRACEBACK / 2L, length(lines))])
  if (length(lines) > 0) paste0(seq_along(lines), ": ", lines, "\n") else character()
}

deparsed <- function(call) {
  text <- paste(trimws(deparse(call, nlines = 3L)), collapse = " ")
  if (nchar(text) > 200) paste0(substr(text, 1, 197), "...") else text
}

# R's own wording of the warnings that it keeps until the end.
report_warnings <- function(list, after_error) {
  head <- if (after_error) "In addition: " else ""
  texts <- vapply(list, warning_text, "", "In")
  if (length(texts) == 1L)
    text <- paste0(head, "Warning message:\n", texts)
  else if (length(texts) <= 10L)
    text <- paste0(head, "Warning messages:\n",
                   paste0(seq_along(texts), ": ", texts, collapse = "\n"))
  else
    text <- sprintf("%sThere were %d%s warnings (use warnings() to see them)", head, length(texts),
                    if (length(texts) == MOST_WARNINGS) " or more" else "")
  cat(text, "\n", sep = "", file = stderr())
  noted$warnings <- stats::setNames(lapply(list, conditionCall), vapply(list, conditionMessage, ""))
}

warning_text <- function(warning, word) {
  text <- conditionMessage(warning)
  call <- conditionCall(warning)
  if (is.null(call) || is_ours(call)) {
    if (word == "In") text else paste0(word, ": ", text)
  } else {
    paste0(word, " ", deparsed(call), " : ", text)
  }
}
