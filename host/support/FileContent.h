// Small files, read whole.
#pragma once

#include <filesystem>
#include <string>

namespace hearth::host {

/// What can be read of a file; empty where it is not there. Never throws for what the file is or
/// becomes: a directory, or one of a process in /proc that ends between open and read, which a
/// stream's iterators answer with an exception.
std::string fileContent(const std::filesystem::path& file);

}  // namespace hearth::host
