// hearth plugin add: puts a plugin into the plugins folder, whole or not at all.
#pragma once

#include <filesystem>

namespace hearth::host {

/// Copies `source`, a .so or a folder with one in it, into the plugins folder under its own name
/// and returns the path there. It is loaded once before: what the host would refuse is refused here
/// and changes nothing. The copy takes its place by one rename, so that a running host sees either
/// the old or the new one. Throws std::runtime_error (LoadError) with the reason.
std::filesystem::path addPlugin(const std::filesystem::path& source,
                                const std::filesystem::path& pluginsFolder);

}  // namespace hearth::host
