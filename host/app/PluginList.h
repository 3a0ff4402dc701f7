// `hearth plugin list`.
#pragma once

#include <string>

#include "config/Settings.h"

namespace hearth::host {

/// Prints what a running server says of its plugins, `server` being the address it listens at, or,
/// where that is empty, what the folders hold. Returns the exit status.
int listPlugins(const Settings& settings, const std::string& server, bool json);

}  // namespace hearth::host
