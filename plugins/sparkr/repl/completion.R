# Completion by R's own machinery.

# `cursor` counts characters of the whole text; R completes within a line.
completions <- function(code, cursor) {
  before <- substr(code, 1L, cursor)
  line <- sub("^.*\n", "", before)
  utils <- asNamespace("utils")
  utils$.assignLinebuffer(line)
  utils$.assignEnd(nchar(line))
  utils$.guessTokenFromLine()
  utils$.completeToken()
  found <- utils$.retrieveCompletions()
  unique(sub("[ =(]+$", "", found[nzchar(found)]))
}
