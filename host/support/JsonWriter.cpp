#include "support/JsonWriter.h"

#include <charconv>
#include <cmath>

namespace hearth::host {

namespace {

void appendQuoted(std::string& to, std::string_view text) {
  static const char digits[] = "0123456789abcdef";
  to += '"';
  std::size_t plain = 0;  // start of the run not yet copied
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    to.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': to += "\\\""; break;
      case '\\': to += "\\\\"; break;
      case '\n': to += "\\n"; break;
      case '\r': to += "\\r"; break;
      case '\t': to += "\\t"; break;
      default:
        to += "\\u00";
        to += digits[c >> 4];
        to += digits[c & 15];
    }
  }
  to.append(text, plain, text.size() - plain);
  to += '"';
}

}  // namespace

void JsonWriter::separate() {
  if (text_.empty()) return;
  const char last = text_.back();
  if (last != '{' && last != '[' && last != ':') text_ += ',';
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  text_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  appendQuoted(text_, name);
  text_ += ':';
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  appendQuoted(text_, text);
  return *this;
}

JsonWriter& JsonWriter::stringOrNull(std::string_view text) {
  return text.empty() ? null() : string(text);
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  text_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const std::string_view written(digits, static_cast<std::size_t>(end - digits));
  text_ += written;
  if (written.find_first_of(".e") == std::string_view::npos) text_ += ".0";
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_ += json.empty() ? std::string_view("null") : json;
  return *this;
}

JsonWriter& JsonWriter::strings(const std::vector<std::string>& values) {
  beginArray();
  for (const std::string& value : values) string(value);
  return endArray();
}

std::string jsonQuoted(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 2);
  appendQuoted(quoted, text);
  return quoted;
}

}  // namespace hearth::host
