// Writes JSON text front to back, with pieces of ready JSON spliced in unparsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::host {

/// Appends to one string. The caller keeps the nesting right; commas are put where needed. Text must
/// be valid UTF-8.
class JsonWriter {
 public:
  JsonWriter& beginObject() { return open('{'); }
  JsonWriter& endObject() { return close('}'); }
  JsonWriter& beginArray() { return open('['); }
  JsonWriter& endArray() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);
  /// null for an empty text, else the text: how Livy writes options that were not given.
  JsonWriter& stringOrNull(std::string_view text);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(double value);  ///< always with a fraction or exponent, as Livy: 1.0; not finite: null
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  /// JSON text as it is, an unchecked value; empty: null.
  JsonWriter& raw(std::string_view json);
  JsonWriter& strings(const std::vector<std::string>& values);

  std::string take() { return std::move(text_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string text_;
};

/// `text` as a JSON string literal, quotes included.
std::string jsonQuoted(std::string_view text);

}  // namespace hearth::host
