#include "batch/BatchRequest.h"

#include <algorithm>
#include <cctype>

#include "session/Refusal.h"
#include "session/SharedFields.h"

namespace hearth::host {

namespace {

using Cause = Refusal::Cause;
using shared_fields::checkText;

const std::vector<std::string> livyFields = shared_fields::withOwn({"file", "args", "className"});

constexpr std::size_t maxBytes = 1u << 20;

std::vector<std::string> v1Fields() {
  std::vector<std::string> fields = livyFields;
  fields.insert(fields.end(), {"env", "pythonPath", "template"});
  return fields;
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
  return read(body, fields);
}

BatchRequest BatchRequest::parseStored(const std::string& text) {
  return read(text, Fields::v1);
}

BatchRequest BatchRequest::read(const std::string& body, Fields fields) {
  BatchRequest request;
  try {
    const JsonBody json(body);
    json.allowOnly(fields == Fields::v1 ? v1Fields() : livyFields);
    request.file = json.text("file");
    request.className = json.text("className");
    request.args = json.texts("args");
    shared_fields::read(json, request);
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
  shared_fields::check(*this);
  checkText("file", file);
  checkText("className", className);
  checkText("pythonPath", pythonPath);
  for (const std::string& argument : args) checkText("args", argument);
  checkPath(file);
  for (const auto* list : {&jars, &pyFiles, &files, &archives})
    for (const std::string& item : *list) checkPath(item);
  // An option would be taken for one of spark-submit's.
  for (const std::string* word : {&className, &proxyUser})
    if (!word->empty() && word->front() == '-')
      throw Refusal(Cause::invalid, "className and proxyUser may not begin with '-'");
  for (const auto& [variable, value] : env) checkVariable(variable, value);
}

std::string BatchRequest::toJson() const {
  JsonWriter json;
  json.beginObject();
  using shared_fields::write;
  write(json, "file", file);
  write(json, "className", className);
  write(json, "args", args);
  write(json, *this);
  write(json, "env", env);
  write(json, "pythonPath", pythonPath);
  write(json, "template", templateName);
  json.endObject();
  return json.take();
}

}  // namespace hearth::host
