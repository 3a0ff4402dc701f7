#include "batch/BatchRequest.h"

#include <algorithm>
#include <cctype>

#include "session/Refusal.h"
#include "support/JsonBody.h"
#include "support/JsonWriter.h"

namespace hearth::host {

namespace {

using Cause = Refusal::Cause;

const std::vector<std::string> livyFields = {
    "file",         "args",     "className",    "proxyUser",   "jars",           "pyFiles",
    "files",        "archives", "driverMemory", "driverCores", "executorMemory", "executorCores",
    "numExecutors", "queue",    "name",         "conf"};

constexpr std::size_t maxBytes = 1u << 20;

std::vector<std::string> v1Fields() {
  std::vector<std::string> fields = livyFields;
  fields.insert(fields.end(), {"env", "pythonPath", "template"});
  return fields;
}

// Values end up in lines of a properties file and in process arguments.
void checkText(const std::string& field, const std::string& text) {
  if (text.find('\0') != std::string::npos)
    throw Refusal(Cause::invalid, "field \"" + field + "\" has a NUL character");
}

// Where a path would be taken to start is nobody's business to guess.
void checkPath(const std::string& path) {
  const auto colon = path.find(':');
  const auto slash = path.find('/');
  const bool scheme = colon != std::string::npos && colon > 0 && colon < slash;
  if (!scheme && slash != 0)
    throw Refusal(Cause::rejected, "requirement failed: Path '" + path + "' is not absolute.");
}

// What decides which Spark, which Java and which of their configurations is run is the
// deployment's to say.
bool isReserved(const std::string& name) {
  for (const char* prefix : {"SPARK_", "HADOOP_", "YARN_", "HEARTH_", "LD_", "_SPARK"})
    if (name.rfind(prefix, 0) == 0) return true;
  for (const char* reserved :
       {"PATH", "HOME", "USER", "LOGNAME", "JAVA_HOME", "CLASSPATH", "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "KRB5CCNAME", "BASH_ENV", "ENV"})
    if (name == reserved) return true;
  return false;
}

void checkVariable(const std::string& name, const std::string& value) {
  const auto letter = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0 ||
      !std::all_of(name.begin(), name.end(), letter))
    throw Refusal(Cause::invalid, "field \"env\": '" + name.substr(0, 100) +
                                      "' is no name of a variable: letters, digits and _");
  if (isReserved(name))
    throw Refusal(Cause::invalid,
                  "field \"env\": " + name + " is the server's to set, not a batch's");
  checkText("env", value);
}

}  // namespace

BatchRequest BatchRequest::parseUnchecked(const std::string& body, Fields fields) {
  if (body.size() > maxBytes)
    throw Refusal(Cause::tooLarge, "the request of a batch may have 1 MiB");
  BatchRequest request;
  try {
    const JsonBody json(body);
    json.allowOnly(fields == Fields::v1 ? v1Fields() : livyFields);
    request.file = json.text("file");
    request.className = json.text("className");
    request.args = json.texts("args");
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
    request.env = json.textMap("env");
    request.pythonPath = json.text("pythonPath");
    request.templateName = json.text("template");
  } catch (const JsonSyntaxError& error) {
    throw Refusal(Cause::malformed, error.what());
  } catch (const JsonFieldError& error) {
    throw Refusal(Cause::invalid, error.what());
  }
  return request;
}

BatchRequest BatchRequest::parse(const std::string& body, Fields fields) {
  BatchRequest request = parseUnchecked(body, fields);
  request.check();
  return request;
}

void BatchRequest::check() const {
  if (file.empty()) throw Refusal(Cause::rejected, "requirement failed: File is required.");
  for (const auto& [field, text] :
       {std::pair{"file", &file}, std::pair{"className", &className},
        std::pair{"proxyUser", &proxyUser}, std::pair{"driverMemory", &driverMemory},
        std::pair{"executorMemory", &executorMemory}, std::pair{"queue", &queue},
        std::pair{"pythonPath", &pythonPath}})
    checkText(field, *text);
  for (const std::string& argument : args) checkText("args", argument);
  for (const auto& [key, value] : conf) {
    checkText("conf", key);
    checkText("conf", value);
  }
  checkPath(file);
  for (const auto& [field, list] : {std::pair{"jars", &jars}, std::pair{"pyFiles", &pyFiles},
                                    std::pair{"files", &files}, std::pair{"archives", &archives}})
    for (const std::string& item : *list) {
      checkText(field, item);
      checkPath(item);
    }
  // An option would be taken for one of spark-submit's.
  for (const std::string* word : {&className, &proxyUser})
    if (!word->empty() && word->front() == '-')
      throw Refusal(Cause::invalid, "className and proxyUser may not begin with '-'");
  for (const auto& [variable, value] : env) checkVariable(variable, value);
  if (!name) return;
  checkText("name", *name);
  // A name of digits alone would be taken for an id.
  if (std::all_of(name->begin(), name->end(), [](char c) { return c >= '0' && c <= '9'; }) ||
      name->size() > 255 || name->find('/') != std::string::npos)
    throw Refusal(Cause::rejected, "Invalid session name: " + name->substr(0, 255));
}

std::string BatchRequest::toJson() const {
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
  const auto map = [&](const char* key, const std::map<std::string, std::string>& values) {
    if (values.empty()) return;
    json.key(key).beginObject();
    for (const auto& [item, value] : values) json.key(item).string(value);
    json.endObject();
  };
  text("file", file);
  text("className", className);
  list("args", args);
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
  map("conf", conf);
  map("env", env);
  text("pythonPath", pythonPath);
  text("template", templateName);
  json.endObject();
  return json.take();
}

}  // namespace hearth::host
