#include "api/TemplatesApi.h"

#include "api/Dispatcher.h"
#include "policy/ConfKeys.h"
#include "support/JsonWriter.h"

namespace hearth::host {

bool isSecretKey(const std::string& key) {
  const std::string lower = lowered(key);
  for (const char* word : {"secret", "password", "token", "access.key", "accesskey", "credential"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

namespace {

void writeFields(JsonWriter& out, const SparkRequest& values) {
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.key(name).string(value);
  };
  const auto count = [&](const char* name, std::int64_t value) {
    if (value != 0) out.key(name).integer(value);
  };
  const auto list = [&](const char* name, const std::vector<std::string>& value) {
    if (!value.empty()) out.key(name).strings(value);
  };
  out.beginObject();
  list("jars", values.jars);
  list("pyFiles", values.pyFiles);
  list("files", values.files);
  list("archives", values.archives);
  text("driverMemory", values.driverMemory);
  count("driverCores", values.driverCores);
  text("executorMemory", values.executorMemory);
  count("executorCores", values.executorCores);
  count("numExecutors", values.numExecutors);
  text("queue", values.queue);
  out.endObject();
}

void writeTemplate(JsonWriter& out, const Template& shown) {
  out.beginObject();
  out.key("name").string(shown.name);
  out.key("description").string(shown.description);
  out.key("kind").stringOrNull(shown.values.kind);
  out.key("fields");
  writeFields(out, shown.values);
  out.key("conf").beginObject();
  for (const auto& [key, value] : shown.values.conf)
    out.key(key).string(isSecretKey(key) ? redactedText : value);
  out.endObject();
  out.key("locked").strings(shown.locked);
  out.endObject();
}

}  // namespace

void addTemplateRoutes(Router& router, const Policy& policy) {
  router.add("GET", "/v1/templates", [&policy](const ExchangePtr& exchange, const PathArguments&) {
    JsonWriter out;
    out.beginObject().key("templates").beginArray();
    const auto templates = policy.templates();
    for (const auto& entry : templates->all()) writeTemplate(out, entry.second);
    out.endArray().endObject();
    answerJson(exchange, 200, out.take());
  });
}

}  // namespace hearth::host
