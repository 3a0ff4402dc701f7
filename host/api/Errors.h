// Every error that a client sees, in the form of the face it speaks to.
#pragma once

#include <string>
#include <vector>

#include "http/Message.h"
#include "session/Refusal.h"

namespace hearth::host {

/// The one place where a refusal gets its status: Livy's forms on the root face, RFC 9457 problems
/// (application/problem+json) below /v1.
Response refusalResponse(const std::string& path, const Refusal& refusal);
/// An error of HTTP itself, or 500.
Response errorResponse(int status, const std::string& path, const std::string& text);
/// 405 with the methods that the path has.
Response wrongMethodResponse(const std::string& path, const std::vector<std::string>& allowed);

}  // namespace hearth::host
