#include "plugin/PluginLibrary.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

namespace hearth::host {
namespace {

namespace dll = boost::dll;

struct Slot {
  const char* name;
  std::size_t offset;
};

constexpr std::array<Slot, 7> requiredSlots{{
    {"create", offsetof(hearth_plugin, create)},
    {"destroy", offsetof(hearth_plugin, destroy)},
    {"open", offsetof(hearth_plugin, open)},
    {"launch", offsetof(hearth_plugin, launch)},
    {"execute", offsetof(hearth_plugin, execute)},
    {"close", offsetof(hearth_plugin, close)},
    {"release", offsetof(hearth_plugin, release)},
}};

/// Longer than any table of a future minor, shorter than what stands in memory that nobody filled.
constexpr std::uint32_t longestTable = 64 * 1024;

/// Both flags are the loader's; Boost.DLL has no name for NODELETE but passes it on.
dll::load_mode::type loadMode() {
  return static_cast<dll::load_mode::type>(static_cast<unsigned>(dll::load_mode::rtld_now) |
                                           RTLD_LOCAL | RTLD_NODELETE);
}

/// The loader's own words out of Boost.DLL's sentence around them.
std::string loaderReason(const std::string& what) {
  constexpr std::string_view before = "(dlerror system message: ";
  const auto begin = what.find(before);
  const auto end = what.rfind("): ");
  if (begin == std::string::npos || end == std::string::npos || end < begin + before.size())
    return what;
  return what.substr(begin + before.size(), end - begin - before.size());
}

dll::shared_library load(const std::filesystem::path& file) {
  try {
    // The throwing form: the other one loses the loader's reason.
    return dll::shared_library(file.string(), loadMode());
  } catch (const std::exception& e) {
    throw LoadError("the loader refuses it: " + loaderReason(e.what()));
  }
}

const hearth_plugin* callEntry(const dll::shared_library& library) {
  if (!library.has("hearth_plugin_v1"))
    throw LoadError("it exports no hearth_plugin_v1: not a plugin for this version of the host");
  const auto& entry = library.get<const hearth_plugin*()>("hearth_plugin_v1");
  try {
    return entry();
  } catch (...) {
    throw LoadError("hearth_plugin_v1 threw an exception");
  }
}

bool isNull(const hearth_plugin& table, std::size_t offset) {
  void* slot = nullptr;
  std::memcpy(&slot, reinterpret_cast<const char*>(&table) + offset, sizeof slot);
  return slot == nullptr;
}

/// The plugin's table at this host's length: what is shorter is filled with null, what is longer is
/// not read.
hearth_plugin copyTable(const hearth_plugin* theirs) {
  if (theirs == nullptr) throw LoadError("hearth_plugin_v1 returned no table");
  const auto size = theirs->struct_size;
  if (size < offsetof(hearth_plugin, extension) || size > longestTable || size % sizeof(void*) != 0)
    throw LoadError("its table's struct_size is " + std::to_string(size) +
                    ", which is no length of a hearth_plugin");
  hearth_plugin table{};
  std::memcpy(&table, theirs, std::min<std::size_t>(size, sizeof table));
  table.struct_size = sizeof table;
  for (const auto& slot : requiredSlots)
    if (isNull(table, slot.offset))
      throw LoadError("its table lacks the required slot \"" + std::string(slot.name) + '"');
  if (table.descriptor_json == nullptr) throw LoadError("its table's descriptor_json is null");
  return table;
}

std::filesystem::path trustedFile(const std::filesystem::path& file) {
  if (!file.is_absolute()) throw LoadError("its path is not absolute: " + file.string());
  std::error_code error;
  const auto real = std::filesystem::canonical(file, error);
  if (error) throw LoadError(file.string() + ": " + error.message());
  if (!std::filesystem::is_regular_file(real, error))
    throw LoadError(real.string() + " is not a regular file");
  // Both folders, where a link leads out of the first: who can write to either decides what loads.
  requireTrusted(file.parent_path());
  requireTrusted(real.parent_path());
  requireTrusted(real);
  return real;
}

}  // namespace

void requireTrusted(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    throw LoadError(path.string() + ": " + std::generic_category().message(errno));
  if (info.st_uid != 0 && info.st_uid != ::geteuid())
    throw LoadError(path.string() + " belongs to user id " + std::to_string(info.st_uid) +
                    ", neither root nor the host's user");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    throw LoadError(path.string() + " can be written by others; chmod go-w " + path.string());
}

PluginLibrary::PluginLibrary(const std::filesystem::path& file)
    : path_(trustedFile(file)), library_(load(path_)), table_(copyTable(callEntry(library_))) {
  try {
    descriptor_ = Descriptor::parse(table_.descriptor_json);
  } catch (const DescriptorError& e) {
    throw LoadError(e.what());
  }
}

}  // namespace hearth::host
