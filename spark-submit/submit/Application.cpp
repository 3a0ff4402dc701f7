#include "submit/Application.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "submit/LaunchPatterns.h"

namespace hearth::submit {

namespace {

// What bin/spark-submit, and the scripts that it runs, leave in the environment.
void prepareAsScriptsDo(const Application& application, Environment& variables) {
  variables["PYTHONHASHSEED"] = "0";
  variables["SPARK_ENV_LOADED"] = "1";
  variables["SPARK_SCALA_VERSION"] = scalaVersion(application.sparkHome);
  std::string& conf = variables["SPARK_CONF_DIR"];
  if (conf.empty()) conf = application.sparkHome + "/conf";
  const auto current = variables.find("LD_LIBRARY_PATH");
  const std::string path = libraryPath(
      application.properties, current == variables.end() ? std::string() : current->second);
  if (!path.empty()) variables["LD_LIBRARY_PATH"] = path;
}

}  // namespace

Environment sparkEnvironment() {
  Environment environment;
  for (const char* name : {"JAVA_HOME", "SPARK_CONF_DIR", "HADOOP_HOME", "HADOOP_CONF_DIR",
                           "YARN_CONF_DIR", "KRB5CCNAME", "PYSPARK_PYTHON"})
    if (const char* value = std::getenv(name)) environment[name] = value;
  return environment;
}

std::string readDefaults(const std::string& sparkHome, const Environment& environment) {
  const auto folder = environment.find("SPARK_CONF_DIR");
  const bool named = folder != environment.end() && !folder->second.empty();
  std::ifstream file((named ? folder->second : sparkHome + "/conf") + "/spark-defaults.conf",
                     std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

Properties effectiveProperties(const Application& application, const std::string& defaults) {
  Properties properties = parseProperties(defaults);
  for (const auto& [key, value] : application.properties) properties[key] = value;
  if (application.master.empty())
    properties.try_emplace("spark.master", "local[*]");
  else
    properties["spark.master"] = application.master;
  if (!application.deployMode.empty())
    properties["spark.submit.deployMode"] = application.deployMode;
  return properties;
}

Command submission(const Application& application, const std::string& propertiesFile,
                   const Environment& environment) {
  Environment variables = environment;
  variables["SPARK_HOME"] = application.sparkHome;
  if (!application.javaHome.empty()) variables["JAVA_HOME"] = application.javaHome;

  Command command;
  std::vector<std::string>& argv = command.argv;
  const auto pattern = LaunchPatterns::instance().find(application.sparkHome, variables);
  const auto direct =
      pattern ? launchCommand(*pattern, application, application.properties) : std::nullopt;
  if (direct) {
    argv = *direct;
    prepareAsScriptsDo(application, variables);
  } else {
    argv = {application.sparkHome + "/bin/spark-submit"};
  }
  argv.insert(argv.end(), {"--properties-file", propertiesFile});
  if (!application.mainClass.empty()) argv.insert(argv.end(), {"--class", application.mainClass});
  if (!application.proxyUser.empty())
    argv.insert(argv.end(), {"--proxy-user", application.proxyUser});
  argv.push_back(application.resource);
  argv.insert(argv.end(), application.arguments.begin(), application.arguments.end());
  for (const auto& [name, value] : variables) command.environment.push_back(name + "=" + value);
  return command;
}

}  // namespace hearth::submit
