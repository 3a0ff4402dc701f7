// Apache Livy's routes, as its clients know them.
#pragma once

#include "api/SessionCalls.h"
#include "http/Router.h"

namespace hearth::host {

/// Adds the root face. `calls` outlives the router.
void addLivyRoutes(Router& router, const SessionCalls& calls);

}  // namespace hearth::host
