// What a client asks of Spark, and the properties that this means.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "submit/Properties.h"

namespace hearth::submit {

/// The fields that requests for sessions and for batches share. Empty, or 0: not given.
struct RequestFields {
  Properties conf;
  std::string name, queue, pythonPath;
  std::string driverMemory, executorMemory;
  std::int64_t driverCores = 0, executorCores = 0, numExecutors = 0;
  std::vector<std::string> jars, pyFiles, files, archives;
};

/// A field wins over its key in `conf`; a list goes before the one that `conf` has. Keys of conf
/// that are not Spark's, such as livy.*, are accepted, and of no effect.
Properties requestProperties(const RequestFields& request);

}  // namespace hearth::submit
