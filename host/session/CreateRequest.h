// What a client asks for when it creates a session: Livy's fields, checked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hearth::host {

struct CreateRequest {
  std::string kind;          ///< as given; empty: none
  std::string templateName;  ///< /v1: of the operator's; empty: none
  std::optional<std::string> name;
  std::string proxyUser;
  std::vector<std::string> jars, pyFiles, files, archives;
  std::string driverMemory, executorMemory;  ///< Spark sizes such as "2g"; empty: not given
  std::int64_t driverCores = 0, executorCores = 0, numExecutors = 0;  ///< 0: not given
  std::string queue;
  std::map<std::string, std::string> conf;
  std::int64_t heartbeatTimeoutInSecond = 0;
  std::string ttl, idleTimeout;  ///< as given: see support/Time.h; empty: not given

  enum class Fields { livy, v1 };

  /// Parses a request body. Throws Refusal: tooLarge beyond 1 MiB, malformed for bad JSON, invalid
  /// for a field that is unknown (naming the nearest) or has a wrong type or value, rejected for a
  /// bad time or name.
  static CreateRequest parse(const std::string& body, Fields fields = Fields::livy);
  /// What toJson() has made, of whatever size the policy has made it. Throws Refusal.
  static CreateRequest parseStored(const std::string& text);
  /// As a JSON object with the fields that were given: what the store keeps and plugins get.
  std::string toJson() const;

 private:
  static CreateRequest read(const std::string& body, Fields fields);
};

}  // namespace hearth::host
