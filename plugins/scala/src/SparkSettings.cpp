#include "SparkSettings.h"

#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <hearth/plugin.hpp>
#include <random>

#include "Cluster.h"
#include "submit/RequestProperties.h"

namespace hearth::scala {

namespace json = boost::json;

namespace {

json::object parseObject(const std::string& text, const char* what) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object())
    throw Error(HEARTH_E_INVALID, std::string(what) + " is not a JSON object");
  return std::move(value.get_object());
}

std::string text(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) throw Error(HEARTH_E_INVALID, std::string(key) + " is not a text");
  return std::string(value->get_string());
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::int64_t count(const json::object& request, const char* field) {
  const json::value* value = request.if_contains(field);
  if (value == nullptr || value->is_null()) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (error) throw Error(HEARTH_E_INVALID, std::string(field) + " is not a whole number");
  return number;
}

std::vector<std::string> texts(const json::object& request, const char* field) {
  const json::value* value = request.if_contains(field);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_array()) throw Error(HEARTH_E_INVALID, std::string(field) + " is not a list");
  std::vector<std::string> list;
  for (const json::value& item : value->get_array()) {
    if (!item.is_string())
      throw Error(HEARTH_E_INVALID, std::string(field) + " is not a list of texts");
    list.emplace_back(item.get_string());
  }
  return list;
}

Properties confOf(const json::object& request) {
  Properties properties;
  const json::value* conf = request.if_contains("conf");
  if (conf == nullptr || conf->is_null()) return properties;
  if (!conf->is_object()) throw Error(HEARTH_E_INVALID, "conf is not an object");
  for (const auto& item : conf->get_object()) {
    if (!item.value().is_string())
      throw Error(HEARTH_E_INVALID, "conf " + std::string(item.key()) + " is not a text");
    properties[std::string(item.key())] = std::string(item.value().get_string());
  }
  return properties;
}

submit::RequestFields fieldsOf(const json::object& request) {
  submit::RequestFields fields;
  fields.conf = confOf(request);
  fields.name = text(request, "name");
  fields.queue = text(request, "queue");
  fields.driverMemory = text(request, "driverMemory");
  fields.executorMemory = text(request, "executorMemory");
  fields.driverCores = count(request, "driverCores");
  fields.executorCores = count(request, "executorCores");
  fields.numExecutors = count(request, "numExecutors");
  fields.jars = texts(request, "jars");
  fields.pyFiles = texts(request, "pyFiles");
  fields.files = texts(request, "files");
  fields.archives = texts(request, "archives");
  return fields;
}

// For a name that is no other's, not for a secret.
std::string randomHex() {
  std::random_device source;
  std::string hex;
  for (int i = 0; i < 4; ++i) {
    char part[9];
    std::snprintf(part, sizeof part, "%08x", source());
    hex += part;
  }
  return hex;
}

std::string findSparkHome(const json::object& config) {
  std::string home = text(config, "spark_home");
  if (home.empty()) home = environment("SPARK_HOME");
  if (home.empty())
    throw Error(HEARTH_E_INVALID,
                "no Spark is configured: set SPARK_HOME in the environment of the server, or "
                "\"spark_home\" in the configuration of the scala plugin, to the folder of a Spark "
                "3.5 or 4 distribution");
  if (::access((home + "/bin/spark-submit").c_str(), X_OK) != 0)
    throw Error(HEARTH_E_INVALID,
                "there is no Spark in " + home +
                    " (SPARK_HOME, or \"spark_home\" of the scala plugin): it has "
                    "no executable bin/spark-submit");
  return home;
}

}  // namespace

Config Config::parse(const std::string& configJson) {
  const json::object values = parseObject(configJson, "the configuration");
  Config config;
  config.sparkHome = findSparkHome(values);
  config.master = text(values, "master");
  config.driverJavaOptions = text(values, "driver_java_options");
  config.javaHome = text(values, "java_home");
  config.driverJar = text(values, "plugin_dir") + "/hearth-driver.jar";
  const std::string mode = text(values, "deploy_mode");
  if (!mode.empty() && mode != "client" && mode != "cluster")
    throw Error(HEARTH_E_INVALID, "deploy_mode " + mode + " is neither client nor cluster");
  config.cluster = mode == "cluster";
  config.clusterJar = text(values, "driver_jar");
  config.sharedDir = text(values, "shared_dir");
  if (::access(config.driverJar.c_str(), R_OK) != 0)
    throw Error(HEARTH_E_INVALID, "the driver " + config.driverJar + " is not installed");
  return config;
}

Request Request::parse(const std::string& sessionId, const std::string& optionsJson) {
  const json::object options = parseObject(optionsJson, "the session's options");
  Request request;
  request.sessionId = sessionId;
  request.folder = text(options, "dir");
  request.tag = text(options, "tag");
  if (request.tag.empty()) request.tag = "hearth-session-" + randomHex();
  const json::value* prepare = options.if_contains("prepare");
  request.prepare = prepare != nullptr && prepare->is_bool() && prepare->get_bool();
  const json::value* create = options.if_contains("request");
  if (create != nullptr && create->is_object())
    request.properties = submit::requestProperties(fieldsOf(create->get_object()));
  return request;
}

Properties sparkProperties(const Config& config, const Request& request,
                           const std::string& defaults) {
  Properties properties = submit::parseProperties(defaults);
  for (const auto& [key, value] : request.properties) properties[key] = value;

  if (config.master.empty())
    properties.try_emplace("spark.master", "local[*]");
  else
    properties["spark.master"] = config.master;
  properties["spark.submit.deployMode"] = config.cluster ? "cluster" : "client";
  // A name in spark-defaults.conf would be the name of every session.
  if (request.properties.count("spark.app.name") == 0)
    properties["spark.app.name"] = "hearth-session-" + request.sessionId;
  // The bar would be drawn into what statements print.
  properties["spark.ui.showConsoleProgress"] = "false";
  // Hive's catalog cannot be shared by two sessions of one folder, and costs seconds.
  properties.try_emplace("spark.sql.catalogImplementation", "in-memory");
  properties.try_emplace("spark.sql.warehouse.dir", request.folder + "/spark-warehouse");

  std::string& java = properties["spark.driver.extraJavaOptions"];
  for (const std::string& option :
       {config.driverJavaOptions, std::string("-Dfile.encoding=UTF-8")}) {
    if (option.empty()) continue;
    if (!java.empty()) java += ' ';
    java += option;
  }
  addClusterProperties(properties, config, request);
  if (config.cluster) addDriverProperties(properties, request);
  return properties;
}

}  // namespace hearth::scala
