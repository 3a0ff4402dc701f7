// The host as plugins see it: their instances, and the table of calls they are given.
#pragma once

#include <hearth/plugin.h>

#include <memory>
#include <string>
#include <vector>

#include "link/LinkServer.h"
#include "plugin/HandleTable.h"
#include "plugin/Interpreter.h"
#include "plugin/PluginCatalog.h"
#include "process/Process.h"

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

 private:
  friend class Interpreter;
  struct Calls;  // the functions behind the table

  PluginCatalog& catalog_;
  Launcher& launcher_;
  LinkServer& links_;
  hearth_host table_;
  HandleTable<Interpreter> interpreters_;
  HandleTable<Interpreter::Proc> procs_;
  HandleTable<Interpreter::Chan> chans_;
  std::vector<std::unique_ptr<PluginInstance>> instances_;
};

}  // namespace hearth::host
