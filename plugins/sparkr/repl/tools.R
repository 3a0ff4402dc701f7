# What the worker puts on the user's search path, in front of base's.

# `connections` are the worker's own.
attach_tools <- function(connections) {
  tools <- attach(NULL, pos = 2L, name = "tools:hearth", warn.conflicts = FALSE)
  tools$readline <- function(prompt = "") {
    stop("there is no one to answer: a session has no standard input", call. = FALSE)
  }
  tools$warnings <- function(...) {
    if (!is.null(noted$warnings)) structure(noted$warnings, class = "warnings")
  }
  tools$closeAllConnections <- function() {
    while (sink.number() > 0L) sink()
    ours <- vapply(connections, as.integer, 0L)
    for (number in setdiff(as.integer(rownames(showConnections())), ours))
      close(getConnection(number))
    invisible()
  }
  tools
}
