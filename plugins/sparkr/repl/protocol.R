# Frames between the worker and its driver (plugin-api/doc/link.md, "Frames").

HELLO <- 1L
EXECUTE <- 16L
INTERRUPT <- 17L
COMPLETE <- 18L
STOP <- 20L
INSPECT <- 23L
READY <- 32L
DONE <- 35L
REPLY <- 36L
DISPLAY <- 40L

DONE_OK <- 0L
DONE_ERROR <- 1L
DONE_CANCELLED <- 2L
NO_EMPTY_TEXT <- 128L # outcome bit: no text/plain where nothing was printed
STATUS_INTERNAL <- 7L

HEADER_BYTES <- 24L
NO_STATEMENT <- raw(8)

connect <- function(port, channel) {
  options <- if ("options" %in% names(formals(socketConnection))) list(options = "no-delay")
  connection <- do.call(socketConnection, c(
    list("127.0.0.1", port, open = "r+b", blocking = TRUE, timeout = .Machine$integer.max %/% 1000L),
    options))
  list(connection = connection, channel = channel)
}

# One frame. The statement's number is eight bytes, as it came: R has no whole numbers of that size.
send_frame <- function(link, type, statement = NO_STATEMENT, outcome = 0L, payload = "") {
  bytes <- if (is.raw(payload)) payload else charToRaw(enc2utf8(payload))
  write_bytes(link$connection, c(
    writeBin(length(bytes), raw(), endian = "big"),
    writeBin(link$channel, raw(), size = 2L, endian = "big"),
    as.raw(c(type, outcome)), statement, raw(8), bytes))
}

# The next frame, or NULL when the driver is gone.
receive_frame <- function(link) {
  header <- read_bytes(link$connection, HEADER_BYTES)
  if (is.null(header)) return(NULL)
  payload <- read_bytes(link$connection, readBin(header[1:4], "integer", endian = "big"))
  if (is.null(payload)) return(NULL)
  list(type = as.integer(header[7]), outcome = as.integer(header[8]), statement = header[9:16],
       payload = payload)
}

# R lets interrupts through while it waits for a socket, suspended or not: what comes late, for a
# statement that is over, breaks off the call, before it has read or written anything. So it is made
# again; pieces are small enough for a socket that is ready to take them whole.
#
# None may be pending when R begins to wait: it would leave the wait by a way that forgets to put R's
# own signal handler back, and the next signal would land in a frame of C that is long gone.
whatever_comes <- function(call) {
  repeat {
    take_interrupts()
    result <- tryCatch(list(call()), error = function(e) e, interrupt = function(c) NULL)
    if (is.list(result) && !inherits(result, "error")) return(result[[1]])
    if (inherits(result, "error") && !grepl("interrupt", conditionMessage(result))) stop(result)
  }
}

# Takes the interrupts that are pending, as no one's.
take_interrupts <- function() {
  tryCatch(allowInterrupts(Sys.sleep(0)), interrupt = function(c) NULL)
}

PIECE <- 4096L

write_bytes <- function(connection, bytes) {
  for (begin in seq(1, length(bytes), by = PIECE)) {
    piece <- bytes[begin:min(begin + PIECE - 1, length(bytes))]
    whatever_comes(function() writeBin(piece, connection))
  }
}

read_bytes <- function(connection, count) {
  bytes <- raw(0)
  while (length(bytes) < count) {
    piece <- whatever_comes(function() readBin(connection, "raw", count - length(bytes)))
    if (length(piece) == 0) return(NULL)
    bytes <- c(bytes, piece)
  }
  bytes
}

# The payload of an EXECUTE or the like, as text.
payload_text <- function(payload) {
  text <- rawToChar(payload[payload != 0])
  Encoding(text) <- "UTF-8"
  text
}

statement_number <- function(bytes) {
  sprintf("%.0f", sum(as.integer(bytes) * 256^(7:0)))
}
