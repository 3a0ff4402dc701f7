#include "http/Message.h"

#include <boost/algorithm/string/predicate.hpp>

namespace hearth::host {

std::string Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (boost::algorithm::iequals(key, name)) return value;
  return {};
}

std::optional<std::string> Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return std::nullopt;
}

}  // namespace hearth::host
