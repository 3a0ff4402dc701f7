// What the settings say of plugins that misbehave.
#pragma once

#include "config/Settings.h"
#include "plugin/CallWatch.h"
#include "plugin/PluginCrashes.h"

namespace hearth::host {

CallWatch::Options watchOptions(const Settings& settings);
PluginCrashes::Options crashOptions(const Settings& settings);

}  // namespace hearth::host
