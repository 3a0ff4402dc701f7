// Paths without a scheme, where Spark's files are a cluster's.
#pragma once

#include <string>
#include <vector>

#include "policy/SparkRequest.h"

namespace hearth::host {

/// Puts Hadoop's default file system before absolute paths without a scheme, as Livy does: in a
/// batch's `file`, in jars, pyFiles, files and archives, and in Spark's lists of files in conf. Not
/// where the master is a local one, nor in paths that the host adds itself. Immutable; any thread.
class DefaultFileSystem {
 public:
  struct Options {
    std::string uri;  ///< "hdfs://namenode:8020"; empty, or of this machine's files: no effect
    std::string sessionMaster, batchMaster;  ///< where no request or rule gives one
    std::vector<std::string> keys;           ///< of `conf`, that take lists of files too
  };

  explicit DefaultFileSystem(Options options);

  /// `master` is the one in effect, as far as the request and the rules say; else empty.
  void resolve(Resource resource, const std::string& master, SparkRequest& request) const;

 private:
  bool isFileList(const std::string& key) const;

  Options options_;
};

}  // namespace hearth::host
