# What is known of a name: a tooltip's worth, or with detail 1 also the source and the whole help page.
# No active binding is read for it, and nothing is called but str(). A package named by :: is loaded,
# as for completion.

MOST_INSPECTED <- 64L * 1024L # characters
HELP_LINES <- 14L
STR_LINES <- 20L

inspection_reply <- function(text) {
  found <- length(text) > 0
  list(found = found,
       data = if (found) list("text/plain" = text) else stats::setNames(list(), character()))
}

# `cursor` counts characters. Returns the text, or NULL where nothing is known.
inspection <- function(code, cursor, detail = 0L) {
  name <- name_at(code, cursor)
  found <- if (!is.null(name)) look_up(name)
  if (is.null(found)) {
    name <- called_at(code, cursor)
    found <- if (!is.null(name)) look_up(name)
  }
  if (is.null(found)) return(NULL)
  text <- if (is.null(found$value)) found$text else described(name, found$value[[1]], detail > 0)
  page <- if (!isTRUE(found$users)) help_page(name, detail > 0)
  text <- paste(c(text, if (length(page) > 0) c("", page)), collapse = "\n")
  if (nchar(text) > MOST_INSPECTED) paste0(substr(text, 1L, MOST_INSPECTED), "\n...") else text
}

WORD <- "[[:alnum:]._]"
NAME <- paste0("(`[^`\n]+`|", WORD, "+)")
PATH <- paste0(NAME, "((:::?|[$@])", NAME, ")*")

# The name around the cursor, with the package or the object that it is taken from.
name_at <- function(code, cursor) {
  before <- sub("^.*\n", "", substr(code, 1L, cursor))
  after <- sub("\n.*$", "", substr(code, cursor + 1L, nchar(code)))
  rest <- regmatches(after, regexpr(paste0("^", WORD, "*"), after))
  line <- paste0(before, rest)
  at <- regexpr(paste0(PATH, "$"), line)
  if (at > 0) regmatches(line, at)
}

# The function whose arguments the cursor is among, on its line.
called_at <- function(code, cursor) {
  line <- sub("^.*\n", "", substr(code, 1L, cursor))
  letters <- strsplit(line, "")[[1]]
  depth <- 0L
  for (i in rev(seq_along(letters))) {
    if (letters[i] == ")") depth <- depth + 1L
    else if (letters[i] == "(") {
      if (depth == 0L) return(name_at(line, i - 1L))
      depth <- depth - 1L
    }
  }
  NULL
}

# list(value = list(it)), with users = TRUE where the user has made it and no help page is meant;
# list(text = what there is to say in its place); or NULL.
look_up <- function(name) {
  path <- tryCatch(parse(text = name, keep.source = FALSE), error = function(e) NULL)
  if (length(path) == 1L) tryCatch(resolved(path[[1]]), error = function(e) NULL)
}

resolved <- function(path) {
  if (is.name(path)) return(bound(as.character(path), globalenv()))
  if (!is.call(path) || length(path) != 3L) return(NULL)
  how <- as.character(path[[1]])
  member <- as.character(path[[3]])
  if (how %in% c("::", ":::")) {
    package <- as.character(path[[2]])
    if (!requireNamespace(package, quietly = TRUE)) return(NULL)
    value <- if (how == "::") getExportedValue(package, member)
             else get(member, asNamespace(package), inherits = FALSE)
    return(list(value = list(value)))
  }
  whole <- resolved(path[[2]])
  if (is.null(whole$value)) return(NULL)
  whole <- whole$value[[1]]
  if (how == "@")
    return(if (isS4(whole)) list(value = list(attr(whole, member, exact = TRUE))))
  if (is.environment(whole)) return(bound(member, whole, FALSE))
  if (is.list(whole) && member %in% names(whole))
    list(value = list(.subset2(whole, member)))
}

bound <- function(name, where, inherits = TRUE) {
  while (inherits && !identical(where, emptyenv()) && !exists(name, where, inherits = FALSE))
    where <- parent.env(where)
  if (identical(where, emptyenv()) || !exists(name, where, inherits = FALSE)) return(NULL)
  if (bindingIsActive(as.name(name), where)) return(list(text = paste0(name, ": an active binding")))
  list(value = list(get(name, where, inherits = FALSE)), users = identical(where, globalenv()))
}

described <- function(name, value, source) {
  if (is.function(value)) return(c(signature(name, value), if (source) c("", source_of(value))))
  lines <- tryCatch(utils::capture.output(utils::str(value, max.level = 1L, list.len = STR_LINES,
                                                     vec.len = 3L)),
                    error = function(e) character())
  if (length(lines) > STR_LINES) lines <- c(lines[seq_len(STR_LINES)], "...")
  c(paste0(name, ": ", paste(class(value), collapse = ", ")), lines)
}

signature <- function(name, value) {
  text <- deparse(args(value))
  text <- text[-length(text)] # its body, NULL, or all there is of syntax
  from <- environmentName(environment(value))
  if (is.primitive(value)) from <- "base"
  c(paste0(name, ": ", paste(class(value), collapse = ", "),
           if (!from %in% c("", "R_GlobalEnv")) paste0(", of ", from)),
    sub("^function *\\(", paste0(gsub("\\", "\\\\", name, fixed = TRUE), "("), trimws(text, "right")))
}

source_of <- function(value) {
  shown <- attr(value, "srcref")
  if (is.null(shown)) deparse(value) else as.character(shown)
}

# The head of the help page, or all of it. Nothing where the help is not installed.
help_page <- function(name, whole) {
  tryCatch({
    part <- strsplit(name, ":::?")[[1]]
    topic <- gsub("`", "", part[length(part)], fixed = TRUE)
    if (grepl("[$@]", topic)) return(character())
    pages <- if (length(part) > 1L) utils::help((topic), (part[1]), help_type = "text")
             else utils::help((topic), help_type = "text")
    if (length(pages) == 0) return(character())
    file <- tempfile()
    on.exit(unlink(file))
    tools::Rd2txt(asNamespace("utils")$.getHelpFile(as.character(pages)[1]), out = file,
                  options = list(underline_titles = FALSE), outputEncoding = "UTF-8")
    lines <- readLines(file, encoding = "UTF-8", warn = FALSE)
    if (whole || length(lines) <= HELP_LINES) lines else c(lines[seq_len(HELP_LINES)], "...")
  }, error = function(e) character())
}
