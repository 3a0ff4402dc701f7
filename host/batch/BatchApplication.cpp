#include "batch/BatchApplication.h"

#include <unistd.h>

#include <cstdlib>

#include "session/Refusal.h"
#include "submit/RequestProperties.h"
#include "submit/StandaloneDriver.h"

namespace hearth::host {

namespace {

submit::RequestFields fieldsOf(const BatchRequest& request) {
  submit::RequestFields fields;
  fields.conf = request.conf;
  fields.name = request.name.value_or(std::string());
  fields.queue = request.queue;
  fields.pythonPath = request.pythonPath;
  fields.driverMemory = request.driverMemory;
  fields.executorMemory = request.executorMemory;
  fields.driverCores = request.driverCores;
  fields.executorCores = request.executorCores;
  fields.numExecutors = request.numExecutors;
  fields.jars = request.jars;
  fields.pyFiles = request.pyFiles;
  fields.files = request.files;
  fields.archives = request.archives;
  return fields;
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
  application.properties = submit::requestProperties(fieldsOf(request));

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
