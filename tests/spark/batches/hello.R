cat("hello from R", commandArgs(trailingOnly = TRUE), "\n")
