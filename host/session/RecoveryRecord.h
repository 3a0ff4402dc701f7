// What the store keeps of a session for the next run of the host to take it up with.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "process/ForeignProcess.h"

namespace hearth::host {

/// Of an interpreter whose plugin has said, by save(), that its driver outlives the host.
struct RecoverableInterpreter {
  std::string blob;           ///< the plugin's
  std::string tag;            ///< of a driver: by what a cluster knows its application
  std::uint16_t channel = 0;  ///< of the session's link
  std::optional<ProcessIdentity> process;
  std::string plugin, version;  ///< of the plugin, by its descriptor; empty: an older host's record
};

struct RecoveryRecord {
  std::uint32_t run = 0;  ///< how many runs of the host have taken the session up
  std::string work;       ///< name of its private folder, which holds the link file
  std::map<std::string, RecoverableInterpreter> interpreters;  ///< by kind

  /// Empty text is an empty record. Throws std::invalid_argument for what is none.
  static RecoveryRecord parse(const std::string& json);
  std::string json() const;
};

}  // namespace hearth::host
