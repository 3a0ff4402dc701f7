// Files that nobody else may read.
#pragma once

#include <string>
#include <string_view>

namespace hearth::submit {

/// Writes the file anew, mode 0600 whatever the umask, never through a link that was there. Throws
/// std::system_error that names the path.
void writePrivateFile(const std::string& path, std::string_view text);

}  // namespace hearth::submit
