// A page of the rows that a statement's result has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hearth::host {

/// Of a query's result (application/json with schema and data) or of a table
/// (application/vnd.livy.table.v1+json). Cut from the bundle's text, so that values stay as the
/// interpreter wrote them.
struct ResultRows {
  std::string mime;
  std::string columns;     ///< JSON: the schema, or the headers
  std::int64_t from = 0;   ///< number of the first row
  std::int64_t total = 0;  ///< rows that the result has
  std::string rows;        ///< JSON: an array

  /// At most `size` rows from number `from` on; a page ends early at 16 MiB. Nothing where the
  /// bundle has no rows. Looks through the whole text.
  static std::optional<ResultRows> of(const std::string& bundle, std::int64_t from,
                                      std::int64_t size);
};

}  // namespace hearth::host
