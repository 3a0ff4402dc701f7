// Fields of JSON that another server has sent: what is missing or of another type reads as empty.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::host {

namespace json = boost::json;

/// Absent where the text is no JSON object, or nested deeper than 32.
std::optional<json::object> parsedObject(std::string_view text);
std::string textOf(const json::object& object, std::string_view field);
std::int64_t numberOf(const json::object& object, std::string_view field);
const json::object* objectOf(const json::object& object, std::string_view field);
/// The objects of an array; a single object counts as an array of one, which some servers send.
void forEachObject(const json::object& object, std::string_view field,
                   const std::function<void(const json::object&)>& use);

}  // namespace hearth::host
