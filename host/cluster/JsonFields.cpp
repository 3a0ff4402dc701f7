#include "cluster/JsonFields.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace hearth::host {

std::optional<json::object> parsedObject(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 32;
  json::value value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::string textOf(const json::object& object, std::string_view field) {
  const json::value* const value = object.if_contains(field);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t numberOf(const json::object& object, std::string_view field) {
  const json::value* const value = object.if_contains(field);
  return value && value->is_int64() ? value->get_int64() : 0;
}

const json::object* objectOf(const json::object& object, std::string_view field) {
  const json::value* const value = object.if_contains(field);
  return value ? value->if_object() : nullptr;
}

void forEachObject(const json::object& object, std::string_view field,
                   const std::function<void(const json::object&)>& use) {
  const json::value* const value = object.if_contains(field);
  if (!value) return;
  if (value->is_object()) return use(value->get_object());
  if (!value->is_array()) return;
  for (const json::value& item : value->get_array())
    if (item.is_object()) use(item.get_object());
}

}  // namespace hearth::host
