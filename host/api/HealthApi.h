// For load balancers and supervisors: is the server there, and is new work welcome.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/Router.h"

namespace hearth::host {

struct Health {
  std::string version;
  std::size_t sessions = 0;          ///< live
  std::vector<std::string> reasons;  ///< why new work is not welcome; none: it is
};

/// GET /v1/health, /v1/health/live (200 whenever the server answers) and /v1/health/ready (503 with
/// the reasons). `look` is called at each request, on any thread, and must not block.
void addHealthRoutes(Router& router, std::function<Health()> look);

}  // namespace hearth::host
