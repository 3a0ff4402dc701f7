// Files that nobody else may read.
#pragma once

#include <string>
#include <string_view>

namespace hearth::submit {

/// Puts the file at `path` whole or not at all, mode 0600 whatever the umask, never through a link
/// that was there. Throws std::system_error that names the path.
void writePrivateFile(const std::string& path, std::string_view text);

}  // namespace hearth::submit
