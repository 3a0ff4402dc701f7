# What the R worker counts on in SparkR, by the backend's own protocol: Spark's R package is not to be
# had from a package registry. Names are SparkR's.

.sparkREnv <- new.env()

sparkR.session <- function(enableHiveSupport = TRUE) {
  connectBackend("localhost", Sys.getenv("EXISTING_SPARKR_BACKEND_PORT"), 60,
                 Sys.getenv("SPARKR_BACKEND_AUTH_SECRET"))
  .sparkREnv$.sparkRsession <- callJStatic("org.apache.spark.repl.Main", "sparkSession")
  message("joined")
  invisible(.sparkREnv$.sparkRsession)
}

connectBackend <- function(hostname, port, timeout, authSecret) {
  connection <- socketConnection(hostname, as.integer(port), open = "r+b", blocking = TRUE,
                                 timeout = timeout)
  writeBin(text_bytes(authSecret), connection)
  if (read_text(connection) != "ok") stop("the backend does not take the secret")
  .sparkREnv$.sparkRCon <- connection
}

callJStatic <- function(class, method, ...) invokeJava(TRUE, class, method, ...)
callJMethod <- function(object, method, ...) invokeJava(FALSE, object$id, method, ...)

invokeJava <- function(isStatic, objId, methodName, ...) {
  arguments <- list(...)
  request <- c(int_bytes(isStatic), text_bytes(objId), text_bytes(methodName),
               int_bytes(length(arguments)), unlist(lapply(arguments, argument_bytes)))
  connection <- .sparkREnv$.sparkRCon
  writeBin(c(int_bytes(length(request)), request), connection)
  status <- read_int(connection)
  while (status == 1L) status <- read_int(connection) # it is still at it
  if (status != 0L) stop(read_text(connection))
  read_value(connection)
}

int_bytes <- function(value) writeBin(as.integer(value), raw(), endian = "big")

text_bytes <- function(text) {
  bytes <- c(charToRaw(text), as.raw(0))
  c(int_bytes(length(bytes)), bytes)
}

argument_bytes <- function(value) {
  if (is.list(value)) c(charToRaw("j"), text_bytes(value$id))
  else if (is.character(value)) c(charToRaw("c"), text_bytes(value))
  else c(charToRaw("i"), int_bytes(value))
}

read_int <- function(connection) readBin(connection, "integer", endian = "big")

read_text <- function(connection) {
  bytes <- readBin(connection, "raw", read_int(connection))
  rawToChar(bytes[bytes != 0])
}

read_value <- function(connection) {
  switch(rawToChar(readBin(connection, "raw", 1L)),
         n = NULL, i = read_int(connection), b = read_int(connection) == 1L,
         d = readBin(connection, "double", endian = "big"), c = read_text(connection),
         j = list(id = read_text(connection)), stop("a value of a type that no test asks for"))
}
