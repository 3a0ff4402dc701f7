// The policy from the configuration.
#pragma once

#include <string>

#include "config/Settings.h"
#include "plugin/PluginCatalog.h"
#include "policy/Policy.h"

namespace hearth::host {

/// Reads the policy.* keys, the templates, and from the plugins' configuration which master is
/// chosen for sessions. `data` is the host's data folder. Throws SettingsError.
Policy::Options policyOptions(const Settings& settings, const PluginCatalog& catalog,
                              const std::string& data);

}  // namespace hearth::host
