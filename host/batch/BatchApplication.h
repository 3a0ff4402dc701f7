// From a batch's request and the deployment's configuration to what is handed to Spark.
#pragma once

#include <string>

#include "batch/BatchRequest.h"
#include "submit/Application.h"

namespace hearth::host {

/// The deployment's part.
struct SparkOptions {
  std::string home;        ///< empty: SPARK_HOME of the host's environment
  std::string master;      ///< over the request's; empty: the request's, Spark's own, local[*]
  std::string deployMode;  ///< likewise
};

struct BatchApplication {
  submit::Application application;
  submit::Environment environment;  ///< of the process that submits it
  submit::Properties properties;    ///< all that Spark is told
  std::string master;               ///< in effect
  bool cluster = false;             ///< deploy mode cluster: the driver is the cluster's
};

/// Throws Refusal (unsupported) where there is no Spark, with words on how to name one.
std::string findSparkHome(const SparkOptions& options);

/// `tag` is what a cluster is to know the application by.
BatchApplication batchApplication(const BatchRequest& request, const SparkOptions& options,
                                  const std::string& tag);

}  // namespace hearth::host
