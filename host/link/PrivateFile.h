// Files that hold secrets.
#pragma once

#include <string>

namespace hearth::host {

/// Puts the file at `path` whole or not at all, mode 0600. Throws std::runtime_error.
void writePrivateFile(const std::string& path, const std::string& text);

}  // namespace hearth::host
