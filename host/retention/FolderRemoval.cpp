#include "retention/FolderRemoval.h"

#include <sys/stat.h>

#include <filesystem>

namespace hearth::host {

namespace fs = std::filesystem;

namespace {

bool remove(const fs::path& path, std::size_t& left) {
  if (left == 0) return false;
  const fs::file_status status = fs::symlink_status(path);
  if (status.type() == fs::file_type::not_found) return true;
  if (status.type() == fs::file_type::directory)
    for (const fs::directory_entry& entry : fs::directory_iterator(path))
      if (!remove(entry.path(), left)) return false;
  if (left == 0) return false;
  --left;
  fs::remove(path);
  return true;
}

}  // namespace

bool removeSome(const std::string& path, std::size_t entries) {
  return remove(path, entries);
}

std::int64_t bytesOn(const std::string& path) noexcept {
  std::int64_t sum = 0;
  try {
    const auto skip = fs::directory_options::skip_permission_denied;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path, skip)) {
      struct ::stat status {};
      constexpr std::int64_t block = 512;  // of st_blocks, whatever the file system's
      if (::lstat(entry.path().c_str(), &status) == 0) sum += status.st_blocks * block;
    }
  } catch (const std::exception&) {
    // What is gone, or goes meanwhile, takes nothing.
  }
  return sum;
}

}  // namespace hearth::host
