// Which files a request may have the host, or Spark on its behalf, read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/SparkRequest.h"

namespace hearth::host {

/// Paths are judged in every reading that something between here and the file may give them: as
/// they are and percent-decoded, with and without what follows '#' or '?', normalised as text and
/// walked through the file system; each must stay inside. A link that is changed afterwards is not
/// seen, nor is what user code opens itself. Immutable; any thread; reads the file system.
class PathRules {
 public:
  struct Options {
    /// Absolute folders that local paths must be in; not set: anywhere.
    std::optional<std::vector<std::string>> local;
    std::vector<std::string> closed;   ///< folders that they may not be in, though
    std::vector<std::string> schemes;  ///< besides file and local; "*": any
    std::vector<std::string> keys;     ///< of `conf`, that take lists of files too
  };

  explicit PathRules(Options options) : options_(std::move(options)) {}

  /// Throws PolicyRefusal for a path, in a field or in conf, that may not be given.
  void check(const SparkRequest& request) const;

 private:
  Options options_;
};

}  // namespace hearth::host
