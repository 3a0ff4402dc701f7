// What the driver needs to start a Python worker: OPEN's payload (doc/link.md, "Workers").
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace hearth::pyspark {

/// The plugin's configuration and the worker's files. Immutable, so that sessions share it.
class WorkerOpening {
 public:
  /// Reads `plugin_dir`/repl/*.py. Throws hearth::Error where these or the configuration are wrong.
  explicit WorkerOpening(const std::string& configJson);

  /// OPEN's payload for a session. The interpreter is the first that is set of: the session's conf
  /// spark.pyspark.driver.python and spark.pyspark.python (or, for each, what it sets in YARN's
  /// appMasterEnv), the plugin's `python`, PYSPARK_PYTHON of the server's environment, python3. Conf spark.hearth.env.NAME becomes NAME in the worker's
  /// environment. Throws hearth::Error (HEARTH_E_INVALID) for options that are no use.
  std::string json(const std::string& optionsJson) const;

 private:
  std::string python_;
  boost::json::object files_;
};

}  // namespace hearth::pyspark
