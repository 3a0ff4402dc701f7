#include "session/SharedFields.h"

#include <algorithm>

#include "session/Refusal.h"

namespace hearth::host::shared_fields {

using Cause = Refusal::Cause;

std::vector<std::string> withOwn(const std::vector<std::string>& own) {
  std::vector<std::string> fields = {
      "name",         "proxyUser",    "jars",        "pyFiles",        "files",
      "archives",     "driverMemory", "driverCores", "executorMemory", "executorCores",
      "numExecutors", "queue",        "conf"};
  fields.insert(fields.end(), own.begin(), own.end());
  return fields;
}

void checkText(const std::string& field, const std::string& text) {
  if (text.find('\0') != std::string::npos)
    throw Refusal(Cause::invalid, "field \"" + field + "\" has a NUL character");
}

void checkName(const std::optional<std::string>& name) {
  if (!name) return;
  checkText("name", *name);
  if (std::all_of(name->begin(), name->end(), [](char c) { return c >= '0' && c <= '9'; }) ||
      name->size() > 255 || name->find('/') != std::string::npos)
    throw Refusal(Cause::rejected, "Invalid session name: " + name->substr(0, 255));
}

void write(JsonWriter& json, const char* key, const std::string& text) {
  if (!text.empty()) json.key(key).string(text);
}

void write(JsonWriter& json, const char* key, const std::vector<std::string>& list) {
  if (!list.empty()) json.key(key).strings(list);
}

void write(JsonWriter& json, const char* key, std::int64_t count) {
  if (count != 0) json.key(key).integer(count);
}

void write(JsonWriter& json, const char* key, const std::map<std::string, std::string>& map) {
  if (map.empty()) return;
  json.key(key).beginObject();
  for (const auto& [item, value] : map) json.key(item).string(value);
  json.endObject();
}

}  // namespace hearth::host::shared_fields
