#include "batch/BatchApplication.h"

#include <unistd.h>

#include <cstdlib>

#include "session/Refusal.h"
#include "submit/StandaloneDriver.h"

namespace hearth::host {

namespace {

using submit::Properties;

// The request's own list goes before the one in its conf.
void prependList(Properties& properties, const char* key, const std::vector<std::string>& items) {
  std::string list;
  for (const std::string& item : items) list += (list.empty() ? "" : ",") + item;
  if (list.empty()) return;
  std::string& property = properties[key];
  property = property.empty() ? list : list + "," + property;
}

Properties requestProperties(const BatchRequest& request) {
  Properties properties;
  // Others, such as livy.*, are not Spark's: accepted, and of no effect.
  for (const auto& [key, value] : request.conf)
    if (key.rfind("spark.", 0) == 0) properties[key] = value;
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) properties[key] = value;
  };
  const auto number = [&](const char* key, std::int64_t value) {
    if (value != 0) properties[key] = std::to_string(value);
  };
  text("spark.app.name", request.name.value_or(std::string()));
  text("spark.driver.memory", request.driverMemory);
  number("spark.driver.cores", request.driverCores);
  text("spark.executor.memory", request.executorMemory);
  number("spark.executor.cores", request.executorCores);
  number("spark.executor.instances", request.numExecutors);
  text("spark.yarn.queue", request.queue);
  text("spark.pyspark.python", request.pythonPath);
  prependList(properties, "spark.jars", request.jars);
  prependList(properties, "spark.submit.pyFiles", request.pyFiles);
  prependList(properties, "spark.files", request.files);
  prependList(properties, "spark.archives", request.archives);
  return properties;
}

}  // namespace

std::string findSparkHome(const SparkOptions& options) {
  std::string home = options.home;
  if (home.empty()) {
    const char* value = std::getenv("SPARK_HOME");
    if (value != nullptr) home = value;
  }
  if (home.empty())
    throw Refusal(Refusal::Cause::unsupported,
                  "no Spark is configured for batches: set spark.home, or SPARK_HOME in the "
                  "environment of the server, to the folder of a Spark 3.5 or 4 distribution");
  if (::access((home + "/bin/spark-submit").c_str(), X_OK) != 0)
    throw Refusal(Refusal::Cause::unsupported,
                  "there is no Spark in " + home +
                      " (spark.home, or SPARK_HOME): it has no executable bin/spark-submit");
  return home;
}

BatchApplication batchApplication(const BatchRequest& request, const SparkOptions& options,
                                  const std::string& tag) {
  BatchApplication made;
  submit::Application& application = made.application;
  application.sparkHome = findSparkHome(options);
  application.master = options.master;
  application.deployMode = options.deployMode;
  application.mainClass = request.className;
  application.resource = request.file;
  application.arguments = request.args;
  application.proxyUser = request.proxyUser;
  application.properties = requestProperties(request);

  made.environment = submit::sparkEnvironment();
  made.properties = submit::effectiveProperties(
      application, submit::readDefaults(application.sparkHome, made.environment));
  made.master = made.properties.at("spark.master");
  const auto mode = made.properties.find("spark.submit.deployMode");
  made.cluster = mode != made.properties.end() && mode->second == "cluster";
  if (made.master.rfind("yarn", 0) == 0) {
    std::string& tags = made.properties["spark.yarn.tags"];
    tags += (tags.empty() ? "" : ",") + tag;
    // The cluster is asked what becomes of it: nobody need wait for it here.
    if (made.cluster) made.properties["spark.yarn.submit.waitAppCompletion"] = "false";
  }
  if (made.cluster && made.master.rfind("spark://", 0) == 0)
    submit::addStandaloneDriver(made.properties);
  // In a cluster the driver has an environment of its own.
  for (const auto& [variable, value] : request.env) {
    made.environment[variable] = value;
    made.properties["spark.executorEnv." + variable] = value;
    if (!made.cluster) continue;
    if (made.master.rfind("yarn", 0) == 0)
      made.properties["spark.yarn.appMasterEnv." + variable] = value;
    if (made.master.rfind("k8s", 0) == 0)
      made.properties["spark.kubernetes.driverEnv." + variable] = value;
  }
  // PYSPARK_PYTHON of the server's environment would win over nothing else that was asked for.
  if (!request.pythonPath.empty()) made.environment["PYSPARK_PYTHON"] = request.pythonPath;
  application.properties = made.properties;
  return made;
}

}  // namespace hearth::host
