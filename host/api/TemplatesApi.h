// GET /v1/templates.
#pragma once

#include "http/Router.h"
#include "policy/Policy.h"

namespace hearth::host {

/// `policy` outlives the router.
void addTemplateRoutes(Router& router, const Policy& policy);

}  // namespace hearth::host
