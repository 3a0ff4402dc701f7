// The host as plugins see it: their instances, and the table of calls they are given.
#pragma once

#include <hearth/plugin.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "link/LinkServer.h"
#include "plugin/HandleTable.h"
#include "plugin/Interpreter.h"
#include "plugin/PluginCatalog.h"
#include "process/Process.h"
#include "support/Log.h"
#include "support/RateLimit.h"

namespace hearth::host {

/// A plugin with one configuration, created.
struct PluginInstance {
  const CatalogEntry* entry = nullptr;
  const hearth_plugin* table = nullptr;
  hearth_instance* self = nullptr;
};

/// Creates an instance of every plugin that the catalog has loaded and serves their calls. Made and
/// destroyed on the main thread, after all interpreters were released; lookups are thread-safe.
class PluginHost {
 public:
  /// An instance whose create() fails is recorded as refused in the catalog.
  PluginHost(PluginCatalog& catalog, Launcher& launcher, LinkServer& links);
  ~PluginHost();
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  /// The instance that serves a kind or an alias of one; null where none does.
  const PluginInstance* forKind(const std::string& kindOrAlias) const;
  /// The kind's own spelling for an alias; empty where unknown.
  std::string canonicalKind(const std::string& kindOrAlias) const;
  /// How the plugin itself spells a kind that a deployment may have renamed.
  std::string descriptorKind(const std::string& kind) const;
  std::vector<std::string> kinds() const;

  Launcher& launcher() { return launcher_; }
  LinkServer& links() { return links_; }

  /// Logs what a plugin does against the rules, but not as often as it may do so. [any thread]
  template <typename... Arguments>
  void misbehaves(spdlog::format_string_t<Arguments...> format, Arguments&&... arguments) {
    std::uint64_t missed = 0;
    if (!complaints_.pass(missed)) return;
    if (missed > 0) log().warn("plugin misbehaving: {} more such lines were left out", missed);
    log().warn("plugin misbehaving: {}",
               fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  PluginCatalog& catalog_;
  Launcher& launcher_;
  LinkServer& links_;
  hearth_host table_;

 private:
  friend class Interpreter;
  struct Calls;  // the functions behind the table

  RateLimit complaints_{200, 10};
  RateLimit lines_{2000, 200};  // of the log, that are of no session
  HandleTable<Interpreter> interpreters_;
  HandleTable<Interpreter::Proc> procs_;
  HandleTable<Interpreter::Chan> chans_;
  std::vector<std::unique_ptr<PluginInstance>> instances_;
};

}  // namespace hearth::host
