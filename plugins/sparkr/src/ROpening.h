// What the driver needs to start an R worker: OPEN's payload (doc/link.md, "Workers").
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace hearth::sparkr {

/// The plugin's configuration and the worker's files. Immutable, so that sessions share it.
class ROpening {
 public:
  /// Reads `plugin_dir`/repl/*.R. Throws hearth::Error where these or the configuration are wrong.
  explicit ROpening(std::string_view configJson);

  /// OPEN's payload for a session. R is the first that is set of: the session's conf
  /// spark.r.shell.command, the plugin's `r`, R. Without SparkR's package R runs alone where conf
  /// spark.hearth.r.plain, or else the plugin's `allow_plain_r`, is true. Conf
  /// spark.hearth.env.NAME becomes NAME in the worker's environment. Throws hearth::Error
  /// (HEARTH_E_INVALID) for options that are no use.
  std::string json(std::string_view optionsJson) const;

 private:
  std::string r_;
  bool plain_ = false;
  boost::json::object files_;
};

}  // namespace hearth::sparkr
