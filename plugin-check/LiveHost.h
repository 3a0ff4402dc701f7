// The real host, as far as plugins see it: processes, driver links, timers.
#pragma once

#include <hearth/plugin.h>

#include <filesystem>
#include <memory>

#include "link/LinkServer.h"
#include "plugin/PluginCatalog.h"
#include "plugin/PluginHost.h"
#include "process/Process.h"
#include "support/EventLoop.h"

namespace hearth::check {

/// Host parts in a folder of their own, without a store, HTTP or sessions. Plugins are not found by
/// a catalog: who has a table makes instances of it by the host's table.
class LiveHost {
 public:
  explicit LiveHost(const std::filesystem::path& folder);
  LiveHost(const LiveHost&) = delete;
  LiveHost& operator=(const LiveHost&) = delete;

  /// Lets drivers in: after links of an earlier run were taken up. Again: nothing.
  void start();

  const hearth_host& table() const { return *table_; }
  host::PluginHost& plugins() { return *plugins_; }
  host::EventLoop& loop() { return loop_; }
  host::LinkServer& links() { return links_; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  host::EventLoop loop_;
  host::Launcher launcher_;
  host::LinkServer links_;
  host::PluginCatalog catalog_;
  std::unique_ptr<host::PluginHost> plugins_;
  const hearth_host* table_ = nullptr;
  bool started_ = false;
};

}  // namespace hearth::check
