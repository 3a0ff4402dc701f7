// Which keys of Spark's configuration a request may give, and what the deployment gives itself.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "policy/SparkRequest.h"

namespace hearth::host {

/// Rules name keys by any of their names; those of `denied` and `allowed` may end in '*'.
/// Immutable; any thread.
class ConfRules {
 public:
  struct Options {
    std::map<std::string, std::string> forced;    ///< over the request's, without a word
    std::map<std::string, std::string> defaults;  ///< where the request has none
    std::vector<std::string> denied;
    std::optional<std::vector<std::string>> allowed;  ///< when set, no other key of `conf` passes
    /// Keys that the deployment decides elsewhere, with the values that do no harm since it has
    /// chosen them itself.
    std::map<std::string, std::set<std::string>> fixed;
  };

  explicit ConfRules(Options options) : options_(std::move(options)) {}

  bool isForced(const std::string& key) const;
  /// Throws PolicyRefusal for a key that the request gives, by field or conf, or in the Java
  /// options of its conf, and may not. Forced ones pass: what is given for them has no effect.
  void check(const SparkRequest& request) const;
  void addDefaults(SparkRequest& request) const;
  void force(SparkRequest& request) const;

 private:
  void checkKey(const std::string& key, const std::string& value, const std::string& place) const;
  void checkAllowed(const std::string& key) const;

  Options options_;
};

}  // namespace hearth::host
