// What one suite must be told of a plugin: its samples of code, its configuration, its times.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace hearth::check {

/// A quirks file that breaks its rules; the text says where and how.
class QuirksError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Sample {
  std::string code;
  std::string expect;  ///< a text that is in the answer; empty: any
};

/// The quirks file (doc/plugin-check.md). Values only.
struct Quirks {
  std::string kind;  ///< empty: the descriptor's first
  std::string parameter;
  boost::json::object config;               ///< over the descriptor's defaults
  boost::json::object driver;               ///< a follower's driver_json, where there is no leader
  boost::json::object request;              ///< properties of the create request
  std::map<std::string, Sample> samples;    ///< by name
  std::map<std::string, std::string> skip;  ///< check to the reason why it does not apply
  std::vector<std::string> needed;          ///< libraries that it may link besides C and C++
  std::vector<std::string> needsEnvironment;  ///< variables without which nothing can be launched
  std::chrono::seconds launchTime{60};
  std::chrono::seconds statementTime{30};
  std::chrono::seconds closeTime{20};
  std::chrono::seconds checkTime{120};  ///< of one check
  std::chrono::milliseconds loadTime{100};
  int parallel = 20;  ///< sessions at a time

  /// Throws QuirksError, also for members that are not known.
  static Quirks load(const std::filesystem::path& file);
  static Quirks parse(const std::string& json);

  /// Null where the plugin has no such sample.
  const Sample* sample(const std::string& name) const;
};

}  // namespace hearth::check
