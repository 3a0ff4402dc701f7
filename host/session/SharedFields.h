// The fields that requests for sessions and for batches share: read, checked and written.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/JsonBody.h"
#include "support/JsonWriter.h"

namespace hearth::host::shared_fields {

/// Their names, and those in `own`.
std::vector<std::string> withOwn(const std::vector<std::string>& own);

/// Values end up in lines of a properties file and in process arguments. Throws Refusal (invalid)
/// for a NUL character.
void checkText(const std::string& field, const std::string& text);
/// Throws Refusal (rejected), with Livy's text: a name of digits alone would be taken for an id.
void checkName(const std::optional<std::string>& name);

/// Throws JsonFieldError.
template <typename Request>
void read(const JsonBody& json, Request& request) {
  if (json.has("name")) request.name = json.text("name");
  request.proxyUser = json.text("proxyUser");
  request.jars = json.texts("jars");
  request.pyFiles = json.texts("pyFiles");
  request.files = json.texts("files");
  request.archives = json.texts("archives");
  request.driverMemory = json.text("driverMemory");
  request.executorMemory = json.text("executorMemory");
  request.driverCores = json.count("driverCores");
  request.executorCores = json.count("executorCores");
  request.numExecutors = json.count("numExecutors");
  request.queue = json.text("queue");
  request.conf = json.textMap("conf");
}

/// Throws Refusal.
template <typename Request>
void check(const Request& request) {
  for (const auto& [field, text] :
       {std::pair{"proxyUser", &request.proxyUser},
        std::pair{"driverMemory", &request.driverMemory},
        std::pair{"executorMemory", &request.executorMemory}, std::pair{"queue", &request.queue}})
    checkText(field, *text);
  for (const auto& [key, value] : request.conf) {
    checkText("conf", key);
    checkText("conf", value);
  }
  for (const auto& [field, list] :
       {std::pair{"jars", &request.jars}, std::pair{"pyFiles", &request.pyFiles},
        std::pair{"files", &request.files}, std::pair{"archives", &request.archives}})
    for (const std::string& item : *list) checkText(field, item);
  checkName(request.name);
}

/// Members of a JSON object, those that were given: in this order, which digests rest on.
void write(JsonWriter& json, const char* key, const std::string& text);
void write(JsonWriter& json, const char* key, const std::vector<std::string>& list);
void write(JsonWriter& json, const char* key, std::int64_t count);
void write(JsonWriter& json, const char* key, const std::map<std::string, std::string>& map);
template <typename Request>
void write(JsonWriter& json, const Request& request) {
  if (request.name) json.key("name").string(*request.name);
  write(json, "proxyUser", request.proxyUser);
  write(json, "jars", request.jars);
  write(json, "pyFiles", request.pyFiles);
  write(json, "files", request.files);
  write(json, "archives", request.archives);
  write(json, "driverMemory", request.driverMemory);
  write(json, "driverCores", request.driverCores);
  write(json, "executorMemory", request.executorMemory);
  write(json, "executorCores", request.executorCores);
  write(json, "numExecutors", request.numExecutors);
  write(json, "queue", request.queue);
  write(json, "conf", request.conf);
}

}  // namespace hearth::host::shared_fields
