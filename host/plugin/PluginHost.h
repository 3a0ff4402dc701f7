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
#include "plugin/PluginInstance.h"
#include "plugin/PluginRegistry.h"
#include "process/Process.h"
#include "support/Log.h"
#include "support/RateLimit.h"

namespace hearth::host {

/// Has the plugins' instances and serves their calls. Destroyed after all interpreters were
/// released; lookups are thread-safe.
class PluginHost {
 public:
  /// What the folders hold is loaded and created before it returns.
  PluginHost(PluginFolders folders, Launcher& launcher, LinkServer& links);
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  /// As they are now; what is asked of one catalog is of one time.
  std::shared_ptr<const PluginCatalog> catalog() const { return registry_.catalog(); }
  /// The instance that serves a kind or an alias of one; null where none does.
  PluginInstancePtr forKind(const std::string& kindOrAlias) const;
  PluginRegistry& registry() { return registry_; }
  const PluginRegistry& registry() const { return registry_; }

  /// A session's part of an instance: it counts, and the instance stays, for as long as it is held.
  using Hold = std::shared_ptr<const void>;
  /// Throws InstanceLimit where the manifest lets there be no more sessions, as of now.
  Hold hold(const PluginInstancePtr& instance, const std::string& user);
  /// For a session that is there already.
  Hold holdAnyway(const PluginInstancePtr& instance, const std::string& user);

  /// What plugins are created with; lives as long as this.
  const hearth_host& table() const { return table_; }
  Launcher& launcher() { return launcher_; }
  LinkServer& links() { return links_; }

  /// Logs what a plugin does against the rules, but not as often as it may do so. [any thread]
  template <typename... Arguments>
  void misbehaves(Log::Format<Arguments...> format, Arguments&&... arguments) {
    std::uint64_t missed = 0;
    if (!complaints_.pass(missed)) return;
    if (missed > 0) log().warn("plugin misbehaving: {} more such lines were left out", missed);
    log().warn("plugin misbehaving: {}",
               fmt::format(format, std::forward<Arguments>(arguments)...));
  }

 private:
  friend class Interpreter;
  struct Calls;  // the functions behind the table
  hearth_host makeTable();

  Launcher& launcher_;
  LinkServer& links_;
  hearth_host table_;
  RateLimit complaints_{200, 10};
  RateLimit lines_{2000, 200};  // of the log, that are of no session
  HandleTable<Interpreter> interpreters_;
  HandleTable<Interpreter::Proc> procs_;
  HandleTable<Interpreter::Chan> chans_;
  InstanceLedger ledger_;
  PluginRegistry registry_;  // last: plugins may call until it has destroyed them
};

}  // namespace hearth::host
