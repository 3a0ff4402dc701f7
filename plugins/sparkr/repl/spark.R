# SparkR on the Spark context of the session's driver, by the backend that the driver has started
# for this worker and named in the environment.

# Returns what mend_spark() needs, or NULL where plain R was asked for and is all there is.
attach_spark <- function(channel, tools) {
  home <- Sys.getenv("SPARK_HOME")
  places <- c(file.path(home, "R", "lib"), "sparkr") # in YARN's containers: the archive
  place <- places[dir.exists(file.path(places, "SparkR"))]
  if (length(place) == 0 && !nzchar(system.file(package = "SparkR"))) {
    why <- paste0(
      "SparkR is not installed: ", file.path(places[1], "SparkR"), " does not exist. Copy R/lib/SparkR ",
      "of the same Spark's full distribution there (the pyspark of PyPI comes without). For R ",
      "without Spark set allow_plain_r in the sparkr plugin's configuration, or the session's conf ",
      "spark.hearth.r.plain=true.")
    if (Sys.getenv("HEARTH_R_PLAIN") != "1") refuse(why)
    for (name in c("sparkR.session", "sql", "tableToDF", "createDataFrame", "read.df"))
      assign(name, refusing(why), envir = tools)
    return(NULL)
  }
  if (length(place) > 0) .libPaths(c(place[1], .libPaths()))
  suppressMessages({
    library("SparkR", character.only = TRUE, warn.conflicts = FALSE)
    SparkR::sparkR.session(enableHiveSupport = FALSE)
  })
  spark <- list(channel = channel, functions = asNamespace("SparkR"))
  mark_jobs(spark)
  spark
}

refusing <- function(why) {
  force(why)
  function(...) stop(why, call. = FALSE)
}

# Tells the driver which jobs are ours: its progress and its cancel go by it.
mark_jobs <- function(spark) {
  context <- spark$functions$callJMethod(spark$functions$.sparkREnv$.sparkRsession, "sparkContext")
  set <- function(key, value)
    spark$functions$callJMethod(context, "setLocalProperty", key, value)
  set("hearth.channel", as.character(spark$channel))
  set("spark.job.interruptOnCancel", "true")
}

# A call to the JVM that was broken off may have left half an answer on its connection: connects
# again. The JVM's objects stay. To be called when no more interrupts come.
mend_spark <- function(spark, calls) {
  in_call <- vapply(calls, function(call) identical(call[[1]], quote(invokeJava)), TRUE)
  if (!any(in_call)) return()
  env <- spark$functions$.sparkREnv
  try(close(env$.sparkRCon), silent = TRUE)
  connect <- spark$functions$connectBackend
  given <- list(hostname = "localhost", port = Sys.getenv("EXISTING_SPARKR_BACKEND_PORT"),
                timeout = 6000L, authSecret = Sys.getenv("SPARKR_BACKEND_AUTH_SECRET"))
  tryCatch({
    do.call(connect, given[names(formals(connect))])
    mark_jobs(spark)
  }, error = function(e)
    cat("The connection to Spark was lost: ", conditionMessage(e), "\n", sep = "", file = stderr()))
}
