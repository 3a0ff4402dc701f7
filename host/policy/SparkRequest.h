// What sessions and batches have in common: what they ask Spark for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hearth::host {

enum class Resource { session, batch };

/// As a client gave it. Empty texts and zeros: not given.
struct SparkRequest {
  std::string templateName;
  std::string kind;  ///< of a session
  std::string file;  ///< of a batch
  std::vector<std::string> jars, pyFiles, files, archives;
  std::string driverMemory, executorMemory;
  std::int64_t driverCores = 0, executorCores = 0, numExecutors = 0;
  std::string queue;
  std::string pythonPath;  ///< of a batch on /v1
  std::map<std::string, std::string> conf;
  std::map<std::string, std::string> env;  ///< of a batch on /v1
};

/// The fields of a request by the keys of Spark's configuration that they stand for. A key may be
/// given by its field, by `conf`, and there by any of its names (see ConfKeys.h): for these
/// functions that is all one.
namespace request_keys {

/// The key that a field stands for, or an empty text.
std::string keyOfField(const std::string& field);
/// The fields that are given, each with its key.
std::map<std::string, std::string> givenFields(const SparkRequest& request);
bool gives(const SparkRequest& request, const std::string& key);
/// What Spark will be told: of a list the field's items go before those in `conf`.
std::optional<std::string> valueOf(const SparkRequest& request, const std::string& key);
void erase(SparkRequest& request, const std::string& key);

/// What -D of Java options in the request sets of Spark's configuration, past all of the above.
struct JavaProperty {
  std::string place;  ///< whose value it is in
  std::string key;    ///< empty: whatever a file says, which `value` names
  std::string value;
};
std::vector<JavaProperty> javaProperties(const SparkRequest& request);

}  // namespace request_keys

}  // namespace hearth::host
