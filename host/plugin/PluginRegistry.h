// The plugins that are served at the moment: made, looked after and destroyed while the host runs.
#pragma once

#include <hearth/plugin.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "plugin/PluginCatalog.h"
#include "plugin/PluginInstance.h"
#include "plugin/PluginWatch.h"
#include "support/EventLoop.h"

namespace hearth::host {

/// Where plugins are found, and what holds for all of them.
struct PluginFolders {
  std::filesystem::path plugins, manifests;
  PluginCatalog::Fallbacks fallbacks;
  const PluginCrashes* crashes = nullptr;  ///< what is in quarantine; null: nothing
  /// How long one create or destroy is waited for, a create of the first look 12 times that; 0: for
  /// as long as it takes.
  std::chrono::milliseconds callLimit{0};
};

/// Owns the catalog and the instances. Looks at the folders when it is made, on the caller's
/// thread, and after watch() on a thread of its own, which is where plugins are loaded, created and
/// destroyed from then on, one at a time: a slow one keeps nobody but other plugins waiting, and
/// those for callLimit at most. An instance that is created after that is taken up when it is.
/// Lookups are of the last finished look, from any thread.
class PluginRegistry {
 public:
  /// `table` is what plugins are created with; it outlives this.
  PluginRegistry(PluginFolders folders, const hearth_host& table);
  /// After all sessions were released.
  ~PluginRegistry();
  PluginRegistry(const PluginRegistry&) = delete;
  PluginRegistry& operator=(const PluginRegistry&) = delete;

  std::shared_ptr<const PluginCatalog> catalog() const;
  /// Takes up what changes in the folders from now on, and then calls `changed` on its own thread.
  /// Once.
  void watch(std::function<void()> changed);
  /// Looks at everything once more, soon: also at what has failed and has not changed. After
  /// watch().
  void lookAgain();
  /// No look from now on. False where one, in a plugin, has not come to its end in time: then this
  /// object cannot be destroyed.
  bool stop(std::chrono::milliseconds time);

 private:
  struct Creation;
  struct Ends;

  void look(bool again);
  PluginInstancePtr create(const CatalogEntry& entry);
  std::shared_ptr<Creation> begin(const CatalogEntry& entry);
  PluginInstancePtr own(std::unique_ptr<PluginInstance> instance) const;
  void dropUnwanted(const PluginCatalog& now);
  static bool tell(const PluginCatalog* before, const PluginCatalog& now);

  const PluginFolders folders_;
  const hearth_host& table_;
  const std::shared_ptr<Ends> ends_;  // of instances that nobody holds any more
  mutable std::mutex mutex_;
  std::shared_ptr<const PluginCatalog> catalog_;
  std::function<void()> changed_;
  std::vector<std::shared_ptr<Creation>> overdue_;  // waited for no longer
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<PluginWatch> watch_;
};

}  // namespace hearth::host
