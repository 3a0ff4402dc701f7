# Descriptors 1 and 2: what is printed goes there by itself, the markers that end a statement's
# output through connections of our own to the same pipes.

open_output <- function(marker) {
  list(marker = marker, pipes = lapply(1:2, function(descriptor)
    file(sprintf("/proc/self/fd/%d", descriptor), "wb", raw = TRUE)))
}

# Ends a statement's output: writes out what R and C hold back, then both markers.
finish_output <- function(output, statement) {
  flush(stdout())
  flush(stderr())
  mark <- c(as.raw(0),
            charToRaw(paste0("hearth:", output$marker, ":", statement_number(statement))),
            as.raw(0))
  for (pipe in output$pipes) {
    writeBin(mark, pipe)
    flush(pipe)
  }
}
