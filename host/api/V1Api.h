// Hearth's own routes, below /v1.
#pragma once

#include <string>

#include "api/SessionCalls.h"
#include "http/Router.h"
#include "plugin/PluginHost.h"

namespace hearth::host {

/// Adds the /v1 face. Everything passed by reference outlives the router.
void addV1Routes(Router& router, const SessionCalls& calls, const PluginHost& plugins,
                 const std::string& version);

/// The list of plugins as GET /v1/plugins and `hearth plugin list --json` show it.
std::string pluginsView(const PluginCatalog& catalog);

}  // namespace hearth::host
