// SIGHUP: what of the configuration can change while the server runs.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "config/Settings.h"
#include "plugin/PluginHost.h"
#include "policy/Policy.h"
#include "session/SessionManager.h"

namespace hearth::host {

/// Thread-safe.
class Reload {
 public:
  /// `load` reads the layers anew; it throws SettingsError. The rest outlives this.
  Reload(Settings current, std::function<Settings()> load, Policy& policy,
         const PluginHost& plugins, SessionManager& sessions, std::string data);

  /// Takes over what can be (log.level, policy.*, session.limit), all of it or, where something is
  /// wrong, nothing; logs that, and which other keys have changed and need a restart.
  void run();
  /// Has the policy follow what plugins say of masters.
  void pluginsChanged();

 private:
  std::mutex mutex_;
  Settings current_;
  const std::function<Settings()> load_;
  Policy& policy_;
  const PluginHost& plugins_;
  SessionManager& sessions_;
  const std::string data_;
};

}  // namespace hearth::host
