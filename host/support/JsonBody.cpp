#include "support/JsonBody.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

#include "support/JsonWriter.h"
#include "support/Nearest.h"

namespace hearth::host {

namespace json = boost::json;

namespace {

[[noreturn]] void wrongType(std::string_view field, const char* wanted) {
  throw JsonFieldError("field \"" + std::string(field) + "\" must be " + wanted);
}

std::string place(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto lineStart = before.rfind('\n');
  const auto column = lineStart == std::string_view::npos ? offset + 1 : offset - lineStart;
  return " at line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

JsonBody::JsonBody(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    throw JsonSyntaxError(
        "No content to map due to end-of-input: the body is empty, a JSON object is needed");
  json::parse_options options;
  options.max_depth = 32;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  const std::size_t consumed = parser.write_some(text.data(), text.size(), error);
  // A number at the very end is only whole once the input is.
  if (!error && !parser.done()) {
    boost::system::error_code unfinished;
    parser.finish(unfinished);
    if (unfinished)
      throw JsonSyntaxError("Unexpected end-of-input: the body breaks off" +
                            place(text, text.size()));
  }
  if (error)
    throw JsonSyntaxError("the body is no valid JSON: " + error.message() + place(text, consumed));
  if (text.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos)
    throw JsonSyntaxError("the body has more than one JSON value" + place(text, consumed));
  json::value value = parser.release();
  if (!value.is_object()) throw JsonSyntaxError("the body must be a JSON object");
  object_ = std::move(value.as_object());
}

void JsonBody::allowOnly(const std::vector<std::string>& known) const {
  for (const auto& field : object_) {
    const std::string name(field.key());
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = nearest(name, known);
    throw JsonFieldError("Unrecognized field \"" + name.substr(0, 200) + "\"" +
                         (near.empty() ? std::string() : ", did you mean \"" + near + "\"?"));
  }
}

const json::value* JsonBody::find(std::string_view field) const {
  const json::value* value = object_.if_contains(field);
  return value && !value->is_null() ? value : nullptr;
}

bool JsonBody::has(std::string_view field) const {
  return find(field) != nullptr;
}

std::string JsonBody::text(std::string_view field, std::string_view fallback) const {
  const json::value* value = find(field);
  if (!value) return std::string(fallback);
  if (!value->is_string()) wrongType(field, "a string");
  const json::string& text = value->get_string();
  return std::string(text.data(), text.size());
}

std::int64_t JsonBody::count(std::string_view field) const {
  const json::value* value = find(field);
  if (!value) return 0;
  if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > 2147483647)
    wrongType(field, "a whole number from 0 to 2147483647");
  return value->get_int64();
}

std::vector<std::string> JsonBody::texts(std::string_view field) const {
  std::vector<std::string> found;
  const json::value* value = find(field);
  if (!value) return found;
  if (!value->is_array()) wrongType(field, "an array of strings");
  for (const json::value& item : value->get_array()) {
    if (!item.is_string()) wrongType(field, "an array of strings");
    found.emplace_back(item.get_string().data(), item.get_string().size());
  }
  return found;
}

std::string JsonBody::object(std::string_view field) const {
  const json::value* value = find(field);
  if (!value) return {};
  if (!value->is_object()) wrongType(field, "an object");
  return json::serialize(*value);
}

std::map<std::string, std::string> JsonBody::textMap(std::string_view field) const {
  std::map<std::string, std::string> found;
  const json::value* value = find(field);
  if (!value) return found;
  if (!value->is_object()) wrongType(field, "an object of strings");
  for (const auto& item : value->get_object()) {
    const json::value& entry = item.value();
    if (entry.is_object() || entry.is_array() || entry.is_null())
      wrongType(field, "an object of strings");
    // Boost would write 0.1 as 1E-1.
    found[std::string(item.key())] =
        entry.is_string()   ? std::string(entry.get_string().data(), entry.get_string().size())
        : entry.is_double() ? JsonWriter().number(entry.get_double()).take()
                            : json::serialize(entry);
  }
  return found;
}

}  // namespace hearth::host
