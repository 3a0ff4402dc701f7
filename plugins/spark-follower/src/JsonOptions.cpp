#include "JsonOptions.h"

#include <boost/json/parse.hpp>
#include <hearth/plugin.hpp>
#include <utility>

namespace hearth::spark {

namespace json = boost::json;

namespace {

const json::value* find(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace

json::object parseObject(std::string_view text, const char* what) {
  if (text.empty()) return {};
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object())
    throw Error(HEARTH_E_INVALID, std::string(what) + " is no JSON object");
  return std::move(value.get_object());
}

std::string textIn(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return {};
  if (!value->is_string()) throw Error(HEARTH_E_INVALID, std::string(key) + " is not a text");
  return std::string(value->get_string());
}

json::object objectIn(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return {};
  if (!value->is_object()) throw Error(HEARTH_E_INVALID, std::string(key) + " is not an object");
  return value->get_object();
}

std::string anyText(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object confOf(std::string_view optionsJson) {
  return objectIn(objectIn(parseObject(optionsJson, "the options"), "request"), "conf");
}

std::string reasonDetail(std::string_view reason) {
  return "{\"reason\":" + quoted(reason) + "}";
}

}  // namespace hearth::spark
