// SIGHUP: what of the configuration can change while the server runs.
#pragma once

#include <functional>
#include <string>

#include "config/Settings.h"
#include "plugin/PluginCatalog.h"
#include "policy/Policy.h"
#include "session/SessionManager.h"

namespace hearth::host {

/// Main thread only.
class Reload {
 public:
  /// `load` reads the layers anew; it throws SettingsError. The rest outlives this.
  Reload(Settings current, std::function<Settings()> load, Policy& policy,
         const PluginCatalog& catalog, SessionManager& sessions, std::string data);

  /// Takes over what can be (log.level, policy.*, session.limit), all of it or, where something is
  /// wrong, nothing; logs that, and which other keys have changed and need a restart.
  void run();

 private:
  Settings current_;
  const std::function<Settings()> load_;
  Policy& policy_;
  const PluginCatalog& catalog_;
  SessionManager& sessions_;
  const std::string data_;
};

}  // namespace hearth::host
