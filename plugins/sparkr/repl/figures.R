# Graphics as PNG: whatever draws without a device of its own opens ours, page by page.

PREFIX <- "hearth-figure-"

new_figures <- function(folder) {
  figures <- new.env(parent = emptyenv())
  figures$folder <- folder
  figures$count <- 0L
  figures
}

# A size is asked for as in Jupyter's R: options(repr.plot.width, repr.plot.height in inches,
# repr.plot.res in pixels to the inch).
begin_figures <- function(figures) {
  options(device = function(...) {
    figures$count <- figures$count + 1L
    name <- sprintf("%s%04d-%%04d.png", PREFIX, figures$count)
    grDevices::png(file.path(figures$folder, name), width = getOption("repr.plot.width", 7),
                   height = getOption("repr.plot.height", 7), units = "in",
                   res = getOption("repr.plot.res", 96))
  })
}

# The pages that were drawn, in base64, in order. Closes our devices, and no others.
finish_figures <- function(figures) {
  devices <- grDevices::dev.list()
  for (device in devices) {
    path <- attr(.Devices[[device]], "filepath")
    if (!is.null(path) && startsWith(basename(path), PREFIX))
      try(grDevices::dev.off(device), silent = TRUE)
  }
  pages <- sort(list.files(figures$folder, paste0("^", PREFIX), full.names = TRUE))
  images <- lapply(pages, function(page)
    jsonlite::base64_enc(readBin(page, "raw", file.size(page))))
  unlink(pages)
  lapply(images, function(image) gsub("\n", "", image, fixed = TRUE))
}
