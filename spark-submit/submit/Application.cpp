#include "submit/Application.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace hearth::submit {

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
  argv = {application.sparkHome + "/bin/spark-submit", "--properties-file", propertiesFile};
  if (!application.mainClass.empty()) argv.insert(argv.end(), {"--class", application.mainClass});
  if (!application.proxyUser.empty())
    argv.insert(argv.end(), {"--proxy-user", application.proxyUser});
  argv.push_back(application.resource);
  argv.insert(argv.end(), application.arguments.begin(), application.arguments.end());
  for (const auto& [name, value] : variables) command.environment.push_back(name + "=" + value);
  return command;
}

}  // namespace hearth::submit
