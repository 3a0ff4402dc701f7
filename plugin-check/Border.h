// The border between a plugin and its host, with an officer on it: both tables pass through here.
#pragma once

#include <hearth/plugin.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "Faults.h"

namespace hearth::check {

/// Stands between one plugin and one or more hosts. A host calls table() as it would the plugin's;
/// the plugin gets a table of this in place of the host's. Everything passes; texts are lent
/// (Lent), and what breaks a rule is noted. Never destroyed: a plugin may call late, and is to be
/// seen.
class Border {
 public:
  /// How much room a refusal's reason has.
  enum class ErrorRoom { normal, one, none, null };

  /// `theirs` has full length (missing slots null) and lives for the process.
  static Border& make(const hearth_plugin& theirs);

  const hearth_plugin& table() const { return table_; }
  Faults& faults() { return faults_; }
  void errorRoom(ErrorRoom room) { errorRoom_ = room; }
  /// How often the plugin has asked its host for a process, or a channel, so far.
  unsigned processes() const { return processes_; }
  unsigned channels() const { return channels_; }

  /// Where the slot that is being called is written for whoever reads of a crash: 64 bytes that
  /// live for the process, or null.
  static void tellWhere(char* place);

  Border(const Border&) = delete;
  Border& operator=(const Border&) = delete;

 private:
  struct Instance;
  struct Session;
  struct HostCalls;
  struct PluginCalls;
  class Call;

  explicit Border(const hearth_plugin& theirs);

  const hearth_plugin& theirs_;
  hearth_plugin table_{};
  Faults faults_;
  ErrorRoom errorRoom_ = ErrorRoom::normal;
  std::atomic<unsigned> processes_{0}, channels_{0};
  std::vector<std::unique_ptr<Instance>> instances_;  // for ever
  std::mutex mutex_;                                  // instances_
};

}  // namespace hearth::check
