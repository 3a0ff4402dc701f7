# Starts the R worker: the process that runs the R statements of a session. Run as a script by the
# driver, with the folder of its files as the only argument (plugin-api/doc/link.md, "Workers").
# Nothing is left to read of this script when main() runs, which does not return: user code that
# reads stdin() gets its end.
local({
  folder <- commandArgs(trailingOnly = TRUE)[1]
  # The functions see base and what they name with ::, so that nothing the user defines changes them.
  worker <- new.env(parent = baseenv())
  for (file in setdiff(list.files(folder, "\\.R$"), "worker.R"))
    sys.source(file.path(folder, file), envir = worker, keep.source = FALSE)
  worker$main(folder)
})
