// hearth plugin new: the first working version of a plugin of one's own.
#pragma once

#include <filesystem>
#include <string>

namespace hearth::host {

/// Writes the template of `language` ("cpp" or "c") for a plugin and kind called `name` into
/// `folder`, which must not be there yet. Throws std::invalid_argument for a bad name or language,
/// std::runtime_error with the way out where the folder or the templates cannot be had; nothing is
/// left then.
void writeNewPlugin(const std::string& name, const std::string& language,
                    const std::filesystem::path& folder);

}  // namespace hearth::host
