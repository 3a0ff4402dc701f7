#include "WorkerOpening.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "JsonOptions.h"
#include "WorkerFiles.h"

namespace hearth::pyspark {

namespace json = boost::json;

namespace {

std::string firstOf(std::initializer_list<std::string> choices) {
  for (const std::string& choice : choices)
    if (!choice.empty()) return choice;
  return {};
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

WorkerOpening::WorkerOpening(const std::string& configJson) {
  const json::object config = spark::parseObject(configJson, "the configuration");
  python_ = spark::textIn(config, "python");
  files_ = spark::readWorkerFiles(spark::textIn(config, "plugin_dir") + "/repl", ".py", "worker.py",
                                  "the Python worker");
}

std::string WorkerOpening::json(const std::string& optionsJson) const {
  const json::object conf = spark::confOf(optionsJson);
  const std::string python =
      firstOf({spark::textIn(conf, "spark.pyspark.driver.python"),
               spark::textIn(conf, "spark.yarn.appMasterEnv.PYSPARK_DRIVER_PYTHON"),
               spark::textIn(conf, "spark.pyspark.python"),
               spark::textIn(conf, "spark.yarn.appMasterEnv.PYSPARK_PYTHON"), python_,
               environment("PYSPARK_PYTHON"), "python3"});

  json::object variables = spark::workerEnvironment(conf);
  // Executors hash strings with this seed; a worker with another one would disagree with them.
  variables["PYTHONHASHSEED"] = "0";

  json::object opening;
  opening["argv"] = json::array{python, "-u", "{dir}/worker.py"};
  opening["env"] = std::move(variables);
  opening["attach"] = "py4j";
  opening["files"] = files_;
  return json::serialize(opening);
}

}  // namespace hearth::pyspark
