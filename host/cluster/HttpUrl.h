// An http or https address in its parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth::host {

struct HttpUrl {
  bool secure = false;
  std::string host;  ///< IPv6 without brackets
  std::string port;
  std::string target = "/";  ///< path and query

  /// Absent for anything that is no http or https address, or has a user, or characters that do not
  /// belong into a request line.
  static std::optional<HttpUrl> parse(std::string_view text);

  /// "http://host:port", the port always named.
  std::string origin() const;
  /// The Host header's value.
  std::string authority() const;
};

/// Percent-encodes what is not plain in a query value; commas stay.
std::string queryValue(std::string_view text);

}  // namespace hearth::host
