# %json and %table, each with any expression, and %matplot.

TABLE <- "application/vnd.livy.table.v1+json"
MAX_ROWS <- 1000L # of a SparkDataFrame
NO_FIGURE <- paste("%matplot has no figure to show: nothing has been drawn. What plot() and the like",
                   "draw is shown by itself, also without %matplot")

magic_part <- function(line) {
  name <- sub("^%(\\S*).*$", "\\1", line)
  operand <- trimws(sub("^%\\S*", "", line))
  if (!nzchar(name)) magic_error("UnknownMagic", "magic command not specified")
  if (name == "matplot") return(figure_part(operand))
  if (!name %in% c("json", "table"))
    magic_error("UnknownMagic", sprintf("unknown magic command '%s'", name))
  if (!nzchar(operand))
    magic_error("MagicError", sprintf("%%%s needs an expression, as in: %%%s x", name, name))
  expression <- parsed(operand)
  if (length(expression) != 1L)
    magic_error("MagicError", sprintf("%%%s takes one expression", name))
  expression <- expression[[1]]
  function() {
    value <- from_spark(eval(expression, globalenv()))
    bundle <- if (name == "json") list("application/json" = json_value(value))
              else stats::setNames(list(table_of(value)), TABLE)
    list(bundle = bundle, text = FALSE)
  }
}

# The current figure: what the statement has drawn, or else the session's last. An expression is
# shown first, as at the prompt: what it draws, or a plot that it is the value of, is the figure.
figure_part <- function(operand) {
  show <- code_part(operand)
  function() {
    show()
    list(bundle = list(), text = FALSE, figure = TRUE)
  }
}

magic_error <- function(name, text) {
  stop(structure(class = c("hearth_magic", "error", "condition"),
                 list(message = text, call = NULL, name = name)))
}

from_spark <- function(value) {
  if (isS4(value) && methods::is(value, "SparkDataFrame"))
    SparkR::take(value, MAX_ROWS)
  else
    value
}

json_value <- function(value, dataframe = "rows") {
  tryCatch(
    jsonlite::toJSON(value, auto_unbox = TRUE, null = "null", na = "null", digits = NA,
                     dataframe = dataframe, Date = "ISO8601", POSIXt = "ISO8601", factor = "string",
                     force = FALSE),
    error = function(e) magic_error("ValueError", paste(
      "Failed to convert value into a JSON value:", conditionMessage(e))))
}

# Livy's table: the rows of a data frame or a matrix; the elements of a list or a vector, each a row,
# where they have names by name.
table_of <- function(value) {
  frame <- as_frame(value)
  headers <- lapply(seq_along(frame), function(i)
    list(type = column_type(frame[[i]]), name = names(frame)[i]))
  data <- if (NROW(frame) == 0L) "[]"
          else json_value(frame_of(lapply(unname(as.list(frame)), plain_column), NROW(frame)),
                          "values")
  structure(sprintf('{"headers":%s,"data":%s}', to_json(headers), data), class = "json")
}

plain_column <- function(column) {
  if (is.factor(column)) as.character(column)
  else if (inherits(column, "Date")) format(column)
  else if (inherits(column, "POSIXt")) format(column, "%Y-%m-%dT%H:%M:%OS6%z")
  else column
}

as_frame <- function(value) {
  if (is.data.frame(value)) return(value)
  if (is.matrix(value)) return(named(as.data.frame(value), colnames(value)))
  if (is.list(value) && is.null(names(value))) {
    rows <- lapply(value, function(row)
      if (is.null(names(row))) stats::setNames(as.list(row), seq_along(row) - 1L) else as.list(row))
    keys <- unique(unlist(lapply(rows, names)))
    columns <- lapply(keys, function(key) bind_cells(lapply(rows, function(row) row[[key]])))
    return(frame_of(stats::setNames(columns, keys), length(rows)))
  }
  if (is.list(value)) {
    lengths <- vapply(value, length, 0L)
    if (length(unique(lengths)) == 1L && all(vapply(value, is.atomic, TRUE)))
      return(frame_of(value, lengths[[1]]))
    return(frame_of(lapply(value, list), 1L))
  }
  frame_of(list("0" = value), length(value))
}

# As data.frame(), which would take columns of lists apart.
frame_of <- function(columns, rows) {
  structure(columns, class = "data.frame", row.names = seq_len(rows))
}

named <- function(frame, names) {
  if (is.null(names)) stats::setNames(frame, seq_along(frame) - 1L) else frame
}

# One column of cells of any type: a vector where they are of one, a list otherwise.
bind_cells <- function(cells) {
  cells <- lapply(cells, function(cell) if (is.null(cell)) NA else cell)
  simple <- all(vapply(cells, function(cell) is.atomic(cell) && length(cell) == 1L, TRUE))
  types <- unique(vapply(cells[!vapply(cells, function(c) identical(c, NA), TRUE)], column_type, ""))
  if (length(types) > 1L && !all(types %in% c("INT_TYPE", "DOUBLE_TYPE")))
    magic_error("TypeError", "table rows have different types")
  if (simple) do.call(c, cells) else cells
}

column_type <- function(column) {
  if (inherits(column, "Date")) "DATE_TYPE"
  else if (inherits(column, "POSIXt")) "TIMESTAMP_TYPE"
  else if (is.logical(column)) if (all(is.na(column))) "NULL_TYPE" else "BOOLEAN_TYPE"
  else if (inherits(column, "integer64")) "BIGINT_TYPE"
  else if (is.integer(column)) "INT_TYPE"
  else if (is.numeric(column)) "DOUBLE_TYPE"
  else if (is.list(column)) if (all(vapply(column, is_named, TRUE))) "MAP_TYPE" else "ARRAY_TYPE"
  else "STRING_TYPE"
}

is_named <- function(value) is.list(value) && !is.null(names(value))
