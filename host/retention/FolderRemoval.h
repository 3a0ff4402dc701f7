// Folders that go, or are measured, a bit at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace hearth::host {

/// Removes at most `entries` files and folders of what is at `path`, never behind a link. True once
/// it is gone, or was not there. Throws std::filesystem::filesystem_error for what cannot be
/// removed.
bool removeSome(const std::string& path, std::size_t entries);

/// What the files in the folder take on disk; 0 where it is not there. Never throws.
std::int64_t bytesOn(const std::string& path) noexcept;

}  // namespace hearth::host
