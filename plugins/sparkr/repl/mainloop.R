# The worker's life: it takes statements from the driver and answers them until it is told to stop.
#
# R has one thread. So frames are read between statements only; a running one is interrupted by
# SIGINT, which the driver sends.

MAX_BUNDLE <- 48L * 1024L * 1024L

main <- function(folder) {
  # Interrupts reach user code alone: see allowInterrupts in execution.R.
  suspendInterrupts({
    utf8_locale()
    if (!requireNamespace("jsonlite", quietly = TRUE))
      refuse("the R package jsonlite is not installed (Debian: r-cran-jsonlite)")
    stdin <- file("stdin", "r")
    greeting <- jsonlite::fromJSON(readLines(stdin, n = 1L))
    close(stdin)
    output <- open_output(greeting$marker)
    link <- connect(greeting$port, greeting$channel)
    send_frame(link, HELLO, payload = to_json(list(secret = greeting$secret, pid = Sys.getpid())))
    figures <- new_figures(folder)
    tools <- attach_tools(c(output$pipes, list(link$connection)))
    spark <- attach_spark(greeting$channel, tools)
    send_frame(link, READY, payload = to_json(list(
      r = as.character(getRversion()), spark = !is.null(spark))))
    repeat {
      frame <- receive_frame(link)
      if (is.null(frame) || frame$type == STOP) break
      if (frame$type == EXECUTE)
        execute(link, output, figures, spark, frame)
      else if (frame$type == COMPLETE)
        answer(link, frame, function(asked)
          list(candidates = I(as.character(completions(asked$code, asked$cursor)))))
      else if (frame$type == INSPECT)
        answer(link, frame, function(asked)
          inspection_reply(inspection(asked$code, asked$cursor, asked$detail)))
    }
    leave(frame)
  })
}

# Ends the worker after STOP, or after the end of its connection.
leave <- function(frame) quit(save = "no", status = if (is.null(frame)) 1L else 0L)

# Has the driver send no more signals for a statement that an interrupt has ended. It answers when
# the last one has arrived: what is put in order from then on cannot be broken off.
end_interrupts <- function(link, statement) {
  send_frame(link, INTERRUPT, statement)
  repeat {
    frame <- receive_frame(link)
    if (is.null(frame) || frame$type == STOP) leave(frame)
    if (frame$type == INTERRUPT) break
  }
  take_interrupts()
}

execute <- function(link, output, figures, spark, frame) {
  code <- payload_text(frame$payload)
  if (frame$outcome == 1L) code <- jsonlite::fromJSON(code)$code
  begin_figures(figures)
  result <- run_statement(code, function(calls) {
    end_interrupts(link, frame$statement)
    if (!is.null(spark)) mend_spark(spark, calls)
  })
  images <- finish_figures(figures)
  if (result$outcome == DONE_OK && isTRUE(result$figure) && length(images) == 0) {
    if (is.null(figures$last))
      result <- list(outcome = DONE_ERROR, bundle = error_bundle("MagicError", NO_FIGURE))
    else
      images <- list(figures$last)
  }
  if (length(images) > 0) figures$last <- images[[length(images)]]
  if (result$outcome == DONE_OK && length(images) > 0) {
    result$bundle[["image/png"]] <- images[[length(images)]]
    images <- images[-length(images)]
  }
  # Those that the result has no place for; of a statement that failed, all.
  if (result$outcome != DONE_CANCELLED)
    for (image in images)
      send_frame(link, DISPLAY, frame$statement,
                 payload = bundle_json(list("image/png" = image)))
  payload <- charToRaw(enc2utf8(bundle_json(result$bundle)))
  if (length(payload) > MAX_BUNDLE) {
    result$outcome <- DONE_ERROR
    payload <- bundle_json(error_bundle("ResultTooLarge", "the result is larger than 48 MiB"))
  }
  bits <- if (result$outcome == DONE_OK && !result$text) NO_EMPTY_TEXT else 0L
  finish_output(output, frame$statement)
  send_frame(link, DONE, frame$statement, result$outcome + bits, payload)
}

# Answers a question by what `known` returns of it.
answer <- function(link, frame, known) {
  reply <- tryCatch(
    list(0L, known(jsonlite::fromJSON(payload_text(frame$payload)))),
    error = function(e) list(STATUS_INTERNAL, list(reason = conditionMessage(e))))
  send_frame(link, REPLY, frame$statement, reply[[1]], to_json(reply[[2]]))
}

# Ends the worker before it is ready; the driver passes its last words on.
refuse <- function(why) {
  cat(why, "\n", sep = "", file = stderr())
  quit(save = "no", status = 1L)
}

# A driver started without a locale would have R print <U+00E9> for every letter beyond ASCII.
utf8_locale <- function() {
  for (locale in c("C.UTF-8", "en_US.UTF-8"))
    if (!l10n_info()[["UTF-8"]])
      suppressWarnings(Sys.setlocale("LC_CTYPE", locale))
}

to_json <- function(value) {
  as.character(jsonlite::toJSON(value, auto_unbox = TRUE, null = "null", na = "null", digits = NA))
}

# A bundle's values are texts, lists of texts (I()), or JSON already.
bundle_json <- function(bundle) {
  if (length(bundle) == 0) return("{}")
  values <- vapply(bundle, function(value)
    if (inherits(value, "json")) as.character(value) else to_json(value), "")
  paste0("{", paste0(vapply(names(bundle), to_json, ""), ":", values, collapse = ","), "}")
}
