// What a client asks for when it posts a batch: Livy's fields and /v1's own, checked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hearth::host {

struct BatchRequest {
  std::string templateName;  ///< /v1: of the operator's; empty: none
  std::string file;          ///< the jar or script: a URI or an absolute path
  std::string className;
  std::vector<std::string> args;
  std::optional<std::string> name;
  std::string proxyUser;
  std::vector<std::string> jars, pyFiles, files, archives;
  std::string driverMemory, executorMemory;  ///< Spark sizes such as "2g"; empty: not given
  std::int64_t driverCores = 0, executorCores = 0, numExecutors = 0;  ///< 0: not given
  std::string queue;
  std::map<std::string, std::string> conf;
  std::map<std::string, std::string> env;  ///< /v1: the application's environment
  std::string pythonPath;                  ///< /v1: the Python interpreter; empty: Spark's choice

  enum class Fields { livy, v1 };

  /// Parses a request body. Throws Refusal: tooLarge beyond 1 MiB, malformed for bad JSON, invalid
  /// for a field that is unknown (naming the nearest) or has a wrong type or value, rejected where
  /// Livy answers so.
  static BatchRequest parse(const std::string& body, Fields fields);
  /// The checks that a request owes whose `file` came another way. Throws Refusal.
  void check() const;
  /// parse() without check(): `file` may be missing.
  static BatchRequest parseUnchecked(const std::string& body, Fields fields);
  /// What toJson() has made, of whatever size the policy has made it. Throws Refusal.
  static BatchRequest parseStored(const std::string& text);

  /// As a JSON object with the fields that were given: what the store keeps, and the same text for
  /// the same request.
  std::string toJson() const;

 private:
  static BatchRequest read(const std::string& body, Fields fields);
};

}  // namespace hearth::host
