// The routes of batches, on Livy's face and on /v1.
#pragma once

#include "api/BatchCalls.h"
#include "http/Router.h"

namespace hearth::host {

/// `calls` are of the face's own, and outlive the router.
void addLivyBatchRoutes(Router& router, const BatchCalls& calls);
void addV1BatchRoutes(Router& router, const BatchCalls& calls);

}  // namespace hearth::host
