#include "plugin/PluginLibrary.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "support/Digest.h"

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

std::shared_ptr<const dll::shared_library> open(const std::string& name) {
  try {
    // The throwing form: the other one loses the loader's reason.
    return std::make_shared<const dll::shared_library>(name, loadMode());
  } catch (const std::exception& e) {
    throw LoadError("the loader refuses it: " + loaderReason(e.what()));
  }
}

/// What this process has loaded: it stays mapped, so that no other file can get its inode.
struct Loaded {
  struct Library {
    std::string sha256;
    std::shared_ptr<const dll::shared_library> library;
  };
  std::mutex mutex;
  std::map<std::pair<dev_t, ino_t>, Library> files;
  std::map<std::string, std::size_t> versions;  ///< of a path
};

Loaded& loaded() {
  static Loaded all;
  return all;
}

/// The loader gives what it has under a name without looking at the file, so that each further
/// version of a file is loaded by another spelling of its path.
std::string spelling(const std::filesystem::path& file, std::size_t version) {
  std::string name = file.parent_path().string() + "/";
  for (; version > 0; --version) name += "./";
  return name + file.filename().string();
}

std::shared_ptr<const dll::shared_library> load(const LibraryFile& file) {
  Loaded& all = loaded();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const std::pair<dev_t, ino_t> identity(file.device, file.inode);
  if (const auto known = all.files.find(identity); known != all.files.end()) {
    if (known->second.sha256 == file.sha256) return known->second.library;
    throw LoadError(
        "it was written over in place while the host uses it: put new versions there by "
        "a rename (mv); the host may crash on what it has loaded and needs a restart");
  }
  std::size_t& versions = all.versions[file.path.string()];
  auto library = open(spelling(file.path, versions));
  ++versions;
  struct stat now {};
  if (::stat(file.path.c_str(), &now) != 0 || now.st_dev != file.device ||
      now.st_ino != file.inode || now.st_size != file.size)
    throw LoadError("it was replaced while it was loaded");
  all.files.emplace(identity, Loaded::Library{file.sha256, library});
  return library;
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
  if (error == std::errc::no_such_file_or_directory)
    throw LibraryMissing(file.string() + ": " + error.message());
  if (error) throw LoadError(file.string() + ": " + error.message());
  if (!std::filesystem::is_regular_file(real, error))
    throw LoadError(real.string() + " is not a regular file");
  // Both folders, where a link leads out of the first: who can write to either decides what loads.
  requireTrusted(file.parent_path());
  requireTrusted(real.parent_path());
  requireTrusted(real);
  return real;
}

/// A file that is still being copied is shorter than its ELF header says. What is no ELF is left
/// for the loader to describe.
void requireWhole(const std::string& content) {
  Elf64_Ehdr header;
  if (content.size() < sizeof header) return;
  std::memcpy(&header, content.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
    return;
  const auto sections = static_cast<std::uint64_t>(header.e_shnum) * header.e_shentsize;
  if (header.e_shoff > content.size() || sections > content.size() - header.e_shoff)
    throw LoadError("it is shorter than its header says: not all of it has been copied");
}

bool same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

bool LibraryFile::isSameFile(const LibraryFile& other) const {
  return path == other.path && device == other.device && inode == other.inode &&
         size == other.size && same(written, other.written) && same(changed, other.changed);
}

LibraryFile LibraryFile::examine(const std::filesystem::path& file, const LibraryFile* before) {
  LibraryFile found;
  found.path = trustedFile(file);
  struct stat info {};
  if (::stat(found.path.c_str(), &info) != 0)
    throw LoadError(found.path.string() + ": " + std::generic_category().message(errno));
  found.device = info.st_dev;
  found.inode = info.st_ino;
  found.size = info.st_size;
  found.written = info.st_mtim;
  found.changed = info.st_ctim;
  if (before != nullptr && found.isSameFile(*before)) return *before;
  std::ifstream in(found.path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) throw LoadError(found.path.string() + " cannot be read");
  requireWhole(content);
  found.sha256 = hearth::host::sha256(content);
  return found;
}

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
    : PluginLibrary(LibraryFile::examine(file)) {}

PluginLibrary::PluginLibrary(const LibraryFile& file)
    : path_(file.path), library_(load(file)), table_(copyTable(callEntry(*library_))) {
  try {
    descriptor_ = Descriptor::parse(table_.descriptor_json);
  } catch (const DescriptorError& e) {
    throw LoadError(e.what());
  }
}

}  // namespace hearth::host
