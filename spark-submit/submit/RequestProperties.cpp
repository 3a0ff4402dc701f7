#include "submit/RequestProperties.h"

namespace hearth::submit {

namespace {

struct TextField {
  std::string RequestFields::*field;
  const char* key;
};
constexpr TextField texts[] = {
    {&RequestFields::name, "spark.app.name"},
    {&RequestFields::driverMemory, "spark.driver.memory"},
    {&RequestFields::executorMemory, "spark.executor.memory"},
    {&RequestFields::queue, "spark.yarn.queue"},
    {&RequestFields::pythonPath, "spark.pyspark.python"},
};

struct CountField {
  std::int64_t RequestFields::*field;
  const char* key;
};
constexpr CountField counts[] = {
    {&RequestFields::driverCores, "spark.driver.cores"},
    {&RequestFields::executorCores, "spark.executor.cores"},
    {&RequestFields::numExecutors, "spark.executor.instances"},
};

struct ListField {
  std::vector<std::string> RequestFields::*field;
  const char* key;
};
constexpr ListField lists[] = {
    {&RequestFields::jars, "spark.jars"},
    {&RequestFields::pyFiles, "spark.submit.pyFiles"},
    {&RequestFields::files, "spark.files"},
    {&RequestFields::archives, "spark.archives"},
};

void prependList(Properties& properties, const char* key, const std::vector<std::string>& items) {
  std::string list;
  for (const std::string& item : items) list += (list.empty() ? "" : ",") + item;
  if (list.empty()) return;
  std::string& property = properties[key];
  property = property.empty() ? list : list + "," + property;
}

}  // namespace

Properties requestProperties(const RequestFields& request) {
  Properties properties;
  for (const auto& [key, value] : request.conf)
    if (key.rfind("spark.", 0) == 0) properties[key] = value;
  for (const auto& [field, key] : texts)
    if (!(request.*field).empty()) properties[key] = request.*field;
  for (const auto& [field, key] : counts)
    if (request.*field != 0) properties[key] = std::to_string(request.*field);
  for (const auto& [field, key] : lists) prependList(properties, key, request.*field);
  return properties;
}

}  // namespace hearth::submit
