#include "session/CreateRequest.h"

#include <algorithm>

#include "session/Refusal.h"
#include "support/JsonBody.h"
#include "support/JsonWriter.h"
#include "support/Time.h"

namespace hearth::host {

namespace {

const std::vector<std::string> livyFields = {
    "kind",         "proxyUser",   "jars",           "pyFiles",       "files",
    "driverMemory", "driverCores", "executorMemory", "executorCores", "numExecutors",
    "archives",     "queue",       "name",           "conf",          "heartbeatTimeoutInSecond",
    "ttl",          "idleTimeout"};

constexpr std::size_t maxBytes = 1u << 20;

std::vector<std::string> v1Fields() {
  std::vector<std::string> fields = livyFields;
  fields.emplace_back("template");
  return fields;
}

void checkTime(const std::string& text) {
  if (!text.empty() && !parseDuration(text))
    throw Refusal(Refusal::Cause::rejected, "Invalid time string: " + text);
}

// Values end up in lines of a properties file and in process arguments.
void checkText(const char* field, const std::string& text) {
  if (text.find('\0') != std::string::npos)
    throw Refusal(Refusal::Cause::invalid,
                  std::string("field \"") + field + "\" has a NUL character");
}

}  // namespace

CreateRequest CreateRequest::parse(const std::string& body, Fields fields) {
  // Every view of the session repeats it.
  if (body.size() > maxBytes)
    throw Refusal(Refusal::Cause::tooLarge, "a create request may have 1 MiB");
  return read(body, fields);
}

CreateRequest CreateRequest::parseStored(const std::string& text) {
  return read(text, Fields::v1);
}

CreateRequest CreateRequest::read(const std::string& body, Fields fields) {
  CreateRequest request;
  try {
    const JsonBody json(body);
    json.allowOnly(fields == Fields::v1 ? v1Fields() : livyFields);
    request.kind = json.text("kind");
    request.templateName = json.text("template");
    if (json.has("kind") && request.kind.empty()) throw JsonFieldError("Invalid kind: \"\"");
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
    request.heartbeatTimeoutInSecond = json.count("heartbeatTimeoutInSecond");
    request.ttl = json.text("ttl");
    request.idleTimeout = json.text("idleTimeout");
  } catch (const JsonSyntaxError& error) {
    throw Refusal(Refusal::Cause::malformed, error.what());
  } catch (const JsonFieldError& error) {
    throw Refusal(Refusal::Cause::invalid, error.what());
  }
  checkTime(request.ttl);
  checkTime(request.idleTimeout);
  for (const auto& [key, value] : request.conf) {
    checkText("conf", key);
    checkText("conf", value);
  }
  for (const auto* list : {&request.jars, &request.pyFiles, &request.files, &request.archives})
    for (const std::string& item : *list) checkText("jars, pyFiles, files, archives", item);
  for (const std::string* text :
       {&request.proxyUser, &request.driverMemory, &request.executorMemory, &request.queue})
    checkText("proxyUser, driverMemory, executorMemory, queue", *text);
  if (request.name) {
    const std::string& name = *request.name;
    checkText("name", name);
    // A name of digits alone would be taken for an id.
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }) ||
        name.size() > 255 || name.find('/') != std::string::npos)
      throw Refusal(Refusal::Cause::rejected, "Invalid session name: " + name.substr(0, 255));
  }
  return request;
}

std::string CreateRequest::toJson() const {
  JsonWriter json;
  json.beginObject();
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) json.key(key).string(value);
  };
  const auto list = [&](const char* key, const std::vector<std::string>& values) {
    if (!values.empty()) json.key(key).strings(values);
  };
  const auto count = [&](const char* key, std::int64_t value) {
    if (value != 0) json.key(key).integer(value);
  };
  text("kind", kind);
  if (name) json.key("name").string(*name);
  text("proxyUser", proxyUser);
  list("jars", jars);
  list("pyFiles", pyFiles);
  list("files", files);
  list("archives", archives);
  text("driverMemory", driverMemory);
  count("driverCores", driverCores);
  text("executorMemory", executorMemory);
  count("executorCores", executorCores);
  count("numExecutors", numExecutors);
  text("queue", queue);
  if (!conf.empty()) {
    json.key("conf").beginObject();
    for (const auto& [key, value] : conf) json.key(key).string(value);
    json.endObject();
  }
  count("heartbeatTimeoutInSecond", heartbeatTimeoutInSecond);
  text("ttl", ttl);
  text("idleTimeout", idleTimeout);
  text("template", templateName);
  json.endObject();
  return json.take();
}

}  // namespace hearth::host
