// GET /v1/templates.
#pragma once

#include <string>

#include "http/Router.h"
#include "policy/Policy.h"

namespace hearth::host {

/// Whether a key of Spark's configuration names a secret, as Spark's own UI judges it.
bool isSecretKey(const std::string& key);
constexpr const char* redactedText = "*********(redacted)";

/// `policy` outlives the router.
void addTemplateRoutes(Router& router, const Policy& policy);

}  // namespace hearth::host
