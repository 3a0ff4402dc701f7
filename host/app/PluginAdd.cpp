#include "app/PluginAdd.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include "plugin/PluginLibrary.h"

namespace hearth::host {
namespace {

namespace fs = std::filesystem;

/// The .so of a plugin's folder, or the .so itself.
fs::path libraryOf(const fs::path& source) {
  if (!fs::is_directory(source)) {
    if (source.extension() != ".so" || !fs::is_regular_file(source))
      throw LoadError(source.string() + " is neither a .so nor a folder with one");
    return source;
  }
  fs::path found;
  for (const auto& entry : fs::directory_iterator(source)) {
    if (entry.path().extension() != ".so") continue;
    if (!found.empty())
      throw LoadError(source.string() + " has more than one .so: " + found.filename().string() +
                      ", " + entry.path().filename().string());
    found = entry.path();
  }
  if (found.empty()) throw LoadError(source.string() + " has no .so in it");
  return found;
}

/// As the host wants them: writable for their owner only.
void makeTrusted(const fs::path& path) {
  constexpr auto others = fs::perms::group_write | fs::perms::others_write;
  fs::permissions(path, others, fs::perm_options::remove);
  if (!fs::is_directory(path)) return;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (!entry.is_symlink()) fs::permissions(entry.path(), others, fs::perm_options::remove);
}

void putInPlace(const fs::path& made, const fs::path& place) {
  if (::rename(made.c_str(), place.c_str()) == 0) return;
  // A folder does not take the place of a full one; the two change places then.
  if ((errno == ENOTEMPTY || errno == EEXIST) &&
      ::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0)
    return;
  throw std::system_error(errno, std::generic_category(), "cannot put " + place.string());
}

/// A hidden place in the plugins folder, which the host passes over; removed with what is left in
/// it.
class Staging {
 public:
  explicit Staging(const fs::path& pluginsFolder)
      : path_(pluginsFolder / (".new-" + std::to_string(::getpid()))) {
    fs::create_directory(path_);
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

fs::path addPlugin(const fs::path& source, const fs::path& pluginsFolder) {
  const fs::path from = fs::canonical(source);
  const fs::path library = libraryOf(from);
  fs::create_directories(pluginsFolder);
  const Staging staging(pluginsFolder);
  const fs::path copy = staging.path() / from.filename();
  fs::copy(from, copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  makeTrusted(copy);
  const PluginLibrary loads(
      fs::absolute(fs::is_directory(from) ? copy / library.filename() : copy));
  const fs::path place = pluginsFolder / from.filename();
  putInPlace(copy, place);
  return place;
}

}  // namespace hearth::host
