// From a session's create request and the deployment's configuration to what Spark is told.
#pragma once

#include <string>
#include <vector>

#include "submit/Properties.h"

namespace hearth::scala {

using submit::Properties;

/// The instance's configuration.
struct Config {
  std::string sparkHome;  ///< has been found: not empty
  std::string master;     ///< empty: the request's, Spark's own default, or local[*]
  std::string driverJavaOptions;
  std::string javaHome;  ///< empty: Java as Spark finds it
  std::string driverJar;
  std::string clusterJar;  ///< where a cluster finds the driver's jar; empty: driverJar
  std::string sharedDir;   ///< seen by the host and all workers of a standalone cluster; or empty
  bool cluster = false;    ///< drivers run in the cluster

  /// Reads the configuration's JSON. Throws hearth::Error where Spark is not to be found, with
  /// words on how to set it.
  static Config parse(const std::string& json);
};

/// What a session asks for.
struct Request {
  std::string sessionId;
  std::string folder;     ///< the session's own
  std::string tag;        ///< by which a cluster knows the session's application
  bool prepare = false;   ///< start the Scala interpreter with the driver
  Properties properties;  ///< Spark's, from the request's fields and conf

  /// Reads hearth_open.options_json. Throws hearth::Error where it does not have the right shape.
  static Request parse(const std::string& sessionId, const std::string& optionsJson);
};

/// All properties of the session's Spark application: the request's over `defaults`, which is the
/// text of spark-defaults.conf, and over both what the deployment has fixed. Throws hearth::Error
/// where the driver is to run in a cluster and the master is none.
Properties sparkProperties(const Config& config, const Request& request,
                           const std::string& defaults);

}  // namespace hearth::scala
