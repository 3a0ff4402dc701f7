// What ends a kernel whose host does not come back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth::jupyter {

/// A shell that runs beside the kernel, in its process group but not as its child, and sleeps for
/// as long as the host holds the lock file. When nobody has held it for `seconds`, or it is gone,
/// it ends the group. It goes with the group: who takes note of the kernel's end kills that.
///
/// Returns the command that starts both; the process becomes the kernel. command[0] is absolute.
/// `path` is the guard's PATH, whatever the kernel's is.
std::vector<std::string> guarded(const std::vector<std::string>& command,
                                 const std::string& lockFile, std::uint32_t seconds,
                                 const std::string& path);

/// Whether the programs that guards need are in `path` (as of PATH).
bool canGuard(const std::string& path);

/// The absolute path of the program that `name`, of a kernel with this PATH and this folder, is.
/// Throws std::runtime_error where there is none.
std::string findProgram(const std::string& name, const std::string& path,
                        const std::string& folder);

}  // namespace hearth::jupyter
