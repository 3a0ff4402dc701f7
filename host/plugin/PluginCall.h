// Which plugin the calling thread is in, for whoever has to say what went wrong there.
#pragma once

#include <cstdint>

namespace hearth::host {

/// One call into a plugin, as long as it lasts. The texts are NUL-terminated and outlive it.
struct PluginCall {
  const char* instance = "";  ///< the plugin's name in this deployment
  const char* version = "";
  const char* path = "";        ///< of its .so
  const char* slot = "";        ///< name of the table's slot, or "load"
  const char* session = "";     ///< number; empty: of none
  std::uint64_t statement = 0;  ///< the plugin's number; 0: of none
  bool takingUp = false;        ///< what the host has to do to come up at all
};

/// Marks the thread for as long as it lives; nests. Costs a few stores. Gives the thread a stack
/// for signal handlers the first time.
class PluginCallMark {
 public:
  explicit PluginCallMark(const PluginCall& call) noexcept;
  ~PluginCallMark();
  PluginCallMark(const PluginCallMark&) = delete;
  PluginCallMark& operator=(const PluginCallMark&) = delete;

  /// The innermost one of the calling thread, or null. Async-signal-safe.
  static const PluginCall* current() noexcept;

 private:
  const PluginCall* const outer_;
};

}  // namespace hearth::host
