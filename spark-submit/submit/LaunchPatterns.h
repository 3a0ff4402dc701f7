// The launch patterns of the Sparks on this machine, each asked for once.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "submit/LaunchCommand.h"

namespace hearth::submit {

/// Thread-safe, one in the process, never destroyed: a question may be under way at its end.
class LaunchPatterns {
 public:
  static LaunchPatterns& instance();

  /// The pattern for that Spark in that environment. Nothing where the launcher has not been asked
  /// yet, which this has a thread do: `spark-submit` serves until then; or where there is what only
  /// its scripts handle, such as a spark-env.sh.
  std::optional<LaunchPattern> find(const std::string& sparkHome, const Environment& environment);
  /// The same, and waits for the answer: half a second, more on a busy machine.
  std::optional<LaunchPattern> learn(const std::string& sparkHome, const Environment& environment);

 private:
  struct Asking {
    std::string key;  ///< all that the answer depends on
    std::string launcherJar;
    std::string java;
    Environment environment;
  };

  LaunchPatterns() = default;
  static std::optional<Asking> asking(const std::string& sparkHome, const Environment& environment);
  void ask(const Asking& asking);

  std::mutex mutex_;
  std::map<std::string, std::optional<LaunchPattern>> known_;
  std::set<std::string> asked_;
};

/// The version of Scala in the name of a Spark's launcher; empty where there is none.
std::string scalaVersion(const std::string& sparkHome);

}  // namespace hearth::submit
