// Server-sent events as text. Format: the WHATWG HTML standard, "Server-sent events".
#pragma once

#include <string>

namespace hearth::host {

/// Appends one event. `json` may have line ends.
void appendEvent(std::string& out, const std::string& id, const char* name,
                 const std::string& json);

}  // namespace hearth::host
