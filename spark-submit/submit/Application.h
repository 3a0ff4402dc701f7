// What is submitted to Spark, and the command that submits it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "submit/Properties.h"

namespace hearth::submit {

using Environment = std::map<std::string, std::string>;

struct Application {
  std::string sparkHome;   ///< folder of a Spark distribution
  std::string javaHome;    ///< empty: JAVA_HOME of the environment, else the java in its PATH
  std::string master;      ///< over the properties'; empty: theirs, else local[*]
  std::string deployMode;  ///< over the properties'; empty: theirs, else Spark's default
  std::string mainClass;   ///< empty for Python and R
  std::string resource;    ///< the jar or script
  std::vector<std::string> arguments;
  Properties properties;  ///< over spark-defaults.conf
  std::string proxyUser;
};

struct Command {
  std::vector<std::string> argv;         ///< argv[0] is a path, or looked up in PATH
  std::vector<std::string> environment;  ///< "NAME=value", over what the child has anyway
};

/// Variables of this process that Spark and its scripts heed, for the applications it submits.
Environment sparkEnvironment();

/// The text of the spark-defaults.conf that Spark would read; empty where there is none.
std::string readDefaults(const std::string& sparkHome, const Environment& environment);

/// All that Spark is told: the application's properties over `defaults`, the text of
/// spark-defaults.conf, then its master and deploy mode.
Properties effectiveProperties(const Application& application, const std::string& defaults);

/// The command that submits the application, in `environment`. Its properties, which must be all
/// there are (effectiveProperties()), are in `propertiesFile`; of them only the driver's heap,
/// class path and Java options are in the command. No shell reads any of its words. It is the
/// launcher's own where that is known (LaunchPatterns), which saves the launcher; else
/// bin/spark-submit.
Command submission(const Application& application, const std::string& propertiesFile,
                   const Environment& environment);

}  // namespace hearth::submit
