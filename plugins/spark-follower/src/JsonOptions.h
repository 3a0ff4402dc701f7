// Reading what the host hands over as JSON text: configuration and options.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace hearth::spark {

/// Parses an object; an empty text is an empty object. Throws Error (HEARTH_E_INVALID) that calls
/// the text `what`.
boost::json::object parseObject(std::string_view text, const char* what);

/// The members of `object`: empty where it has none of that name or null, Error (HEARTH_E_INVALID)
/// where it is of another type.
std::string textIn(const boost::json::object& object, std::string_view key);
boost::json::object objectIn(const boost::json::object& object, std::string_view key);

/// A member of any object, "" unless it is there and a text.
std::string anyText(const boost::json::object& object, std::string_view key);

/// The session's Spark configuration: `request.conf` of the options that open() was given.
boost::json::object confOf(std::string_view optionsJson);

/// {"reason":..}, as hearth_host.session_state takes it.
std::string reasonDetail(std::string_view reason);

}  // namespace hearth::spark
