// Templates of requests, which the operator writes and users pick by name.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "policy/SparkRequest.h"
#include "support/JsonBody.h"

namespace hearth::host {

/// A template's file is wrong; what() names it and says how.
class TemplateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Template {
  std::string name;
  std::string description;
  SparkRequest values;              ///< its kind, fields and conf
  std::vector<std::string> locked;  ///< fields and keys of conf; may end in '*'
};

/// What an operator may give in place of a user who says nothing.
namespace template_fields {

/// All but "conf".
const std::vector<std::string>& names();
/// Throws JsonFieldError.
void read(const JsonBody& fields, SparkRequest& values);
/// Puts fields and conf of `values` under the request's own.
void putUnder(SparkRequest& request, SparkRequest values);

}  // namespace template_fields

/// Immutable; any thread.
class Templates {
 public:
  Templates() = default;
  /// Reads a folder's *.json; one that is not there has none. Throws TemplateError. A file:
  ///
  ///     {"name": default: the file's, "description": text, "kind": of sessions,
  ///      "fields": {"driverMemory": "4g", ..}, "conf": {..}, "locked": ["driverMemory", ..]}
  static Templates load(const std::string& folder);

  const std::map<std::string, Template>& all() const { return all_; }
  /// Puts the values of the template that the request names under the request's own. Throws
  /// PolicyRefusal for an unknown one, naming the nearest, and where the request changes what the
  /// template locks.
  void apply(SparkRequest& request) const;

 private:
  const Template& find(const std::string& name) const;

  std::map<std::string, Template> all_;
};

}  // namespace hearth::host
