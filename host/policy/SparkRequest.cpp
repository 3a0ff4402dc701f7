#include "policy/SparkRequest.h"

#include "policy/ConfKeys.h"
#include "policy/JavaOptions.h"
#include "policy/PathKeys.h"

namespace hearth::host::request_keys {

namespace {

template <typename Value>
struct Field {
  const char* name;
  const char* key;
  Value SparkRequest::*value;
};

const Field<std::string> texts[] = {
    {"driverMemory", "spark.driver.memory", &SparkRequest::driverMemory},
    {"executorMemory", "spark.executor.memory", &SparkRequest::executorMemory},
    {"queue", "spark.yarn.queue", &SparkRequest::queue},
    {"pythonPath", "spark.pyspark.python", &SparkRequest::pythonPath},
};
const Field<std::int64_t> counts[] = {
    {"driverCores", "spark.driver.cores", &SparkRequest::driverCores},
    {"executorCores", "spark.executor.cores", &SparkRequest::executorCores},
    {"numExecutors", "spark.executor.instances", &SparkRequest::numExecutors},
};
const Field<std::vector<std::string>> lists[] = {
    {"jars", "spark.jars", &SparkRequest::jars},
    {"pyFiles", "spark.submit.pyFiles", &SparkRequest::pyFiles},
    {"files", "spark.files", &SparkRequest::files},
    {"archives", "spark.archives", &SparkRequest::archives},
};

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

std::optional<std::string> inConf(const SparkRequest& request, const std::string& key) {
  for (const std::string& name : namesOfKey(key)) {
    const auto found = request.conf.find(name);
    if (found != request.conf.end()) return found->second;
  }
  return std::nullopt;
}

void addJavaProperties(std::vector<JavaProperty>& found, const std::string& place,
                       const std::string& options) {
  for (JavaOption& option : javaOptions(options))
    if (option.fromFile)
      found.push_back({place, std::string(), std::move(option.word)});
    else if (option.property.rfind("spark.", 0) == 0)
      found.push_back({place, std::move(option.property), std::move(option.value)});
}

}  // namespace

std::string keyOfField(const std::string& field) {
  for (const auto& known : texts)
    if (field == known.name) return known.key;
  for (const auto& known : counts)
    if (field == known.name) return known.key;
  for (const auto& known : lists)
    if (field == known.name) return known.key;
  return {};
}

std::map<std::string, std::string> givenFields(const SparkRequest& request) {
  std::map<std::string, std::string> given;
  for (const auto& field : texts)
    if (!(request.*field.value).empty()) given[field.name] = field.key;
  for (const auto& field : counts)
    if (request.*field.value != 0) given[field.name] = field.key;
  for (const auto& field : lists)
    if (!(request.*field.value).empty()) given[field.name] = field.key;
  return given;
}

bool gives(const SparkRequest& request, const std::string& key) {
  return valueOf(request, key).has_value();
}

std::optional<std::string> valueOf(const SparkRequest& request, const std::string& name) {
  const std::string key = canonicalKey(name);
  for (const auto& field : texts)
    if (key == field.key && !(request.*field.value).empty()) return request.*field.value;
  for (const auto& field : counts)
    if (key == field.key && request.*field.value != 0) return std::to_string(request.*field.value);
  const auto rest = inConf(request, key);
  for (const auto& field : lists) {
    if (key != field.key || (request.*field.value).empty()) continue;
    const std::string items = joined(request.*field.value);
    return rest ? items + "," + *rest : items;
  }
  return rest;
}

void erase(SparkRequest& request, const std::string& name) {
  const std::string key = canonicalKey(name);
  for (const auto& field : texts)
    if (key == field.key) (request.*field.value).clear();
  for (const auto& field : counts)
    if (key == field.key) request.*field.value = 0;
  for (const auto& field : lists)
    if (key == field.key) (request.*field.value).clear();
  for (const std::string& other : namesOfKey(key)) request.conf.erase(other);
}

std::vector<JavaProperty> javaProperties(const SparkRequest& request) {
  std::vector<JavaProperty> found;
  for (const auto& [key, value] : request.conf)
    if (pathShape(key) == PathShape::javaOptions) addJavaProperties(found, key, value);
  for (const auto& [variable, value] : request.env)
    if (isJavaOptionsVariable(variable)) addJavaProperties(found, "env " + variable, value);
  return found;
}

}  // namespace hearth::host::request_keys
