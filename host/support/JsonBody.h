// Reads JSON that a client has sent: bounded, strict, with errors that name the place.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::host {

/// The text is no JSON object; what() says where it breaks.
class JsonSyntaxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
/// A field is unknown or has a wrong type; what() names it.
class JsonFieldError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Fields of one JSON object, read by name. Nesting beyond 32 levels and invalid UTF-8 are syntax errors.
/// null counts as not given.
class JsonBody {
 public:
  explicit JsonBody(std::string_view text);

  /// Throws for a field that is not among `known`, naming the nearest.
  void allowOnly(const std::vector<std::string>& known) const;
  bool has(std::string_view field) const;
  /// Each throws JsonFieldError where the field has another type, and gives the default when absent.
  std::string text(std::string_view field, std::string_view fallback = {}) const;
  std::int64_t count(std::string_view field) const;  ///< a whole number from 0 to 2^31-1
  std::vector<std::string> texts(std::string_view field) const;
  /// An object, as JSON text; empty when absent.
  std::string object(std::string_view field) const;
  /// Values may be text, numbers or booleans, which become their text.
  std::map<std::string, std::string> textMap(std::string_view field) const;

 private:
  const boost::json::value* find(std::string_view field) const;

  boost::json::object object_;
};

}  // namespace hearth::host
