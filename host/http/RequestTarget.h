// The target of a request line, taken apart and decoded.
#pragma once

#include <string>

#include "http/Message.h"

namespace hearth::host {

/// Fills path, segments, query and parameters of `request` from a target in origin, absolute or
/// asterisk form. Throws HttpError 400 where it is malformed: a broken percent code, NUL, text that
/// is not UTF-8, a `.` or `..` segment.
void readTarget(const std::string& target, Request& request);

}  // namespace hearth::host
