// One plugin's shared object, loaded for good.
#pragma once

#include <hearth/plugin.h>
#include <sys/types.h>
#include <time.h>

#include <boost/dll/shared_library.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "plugin/Descriptor.h"

namespace hearth::host {

/// Why a plugin was not loaded, for the operator.
class LoadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// There is no such file: nobody has put a bad one there.
class LibraryMissing : public LoadError {
 public:
  using LoadError::LoadError;
};

/// A file as it stands on disk, checked but for what only loading it can tell. Copyable.
struct LibraryFile {
  std::filesystem::path path;  ///< symbolic links resolved
  std::string sha256;          ///< of its bytes
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec written{}, changed{};

  /// `file` is an absolute path. Throws LoadError: a path or an owner that is not trusted, no
  /// regular file, one that is shorter than it says itself. Where `before` still describes it, its
  /// bytes are not read again.
  static LibraryFile examine(const std::filesystem::path& file,
                             const LibraryFile* before = nullptr);
  bool isSameFile(const LibraryFile& other) const;
};

/// A loaded .so that has passed the checks. Its code stays mapped when this object goes: a thread
/// that the plugin left behind, or a pointer into it, must not fall into a hole.
/// Built on one thread at a time, read-only afterwards.
class PluginLibrary {
 public:
  /// Loads `file`, an absolute path, and another file that has taken its place since as well: the
  /// loader itself goes by the name. Throws LoadError: what LibraryFile does, a file that the
  /// loader refuses or that was written over while it is in use, no hearth_plugin_v1, a table or a
  /// descriptor that breaks a rule.
  explicit PluginLibrary(const std::filesystem::path& file);
  explicit PluginLibrary(const LibraryFile& file);
  PluginLibrary(const PluginLibrary&) = delete;
  PluginLibrary& operator=(const PluginLibrary&) = delete;

  /// The file, symbolic links resolved.
  const std::filesystem::path& path() const { return path_; }
  /// A copy as long as this host's hearth_plugin, whatever length the plugin has: optional slots
  /// that it lacks are null, so they may be tested without HEARTH_HAS. Dies with this object.
  const hearth_plugin& table() const { return table_; }
  const Descriptor& descriptor() const { return descriptor_; }
  /// The ABI minor that the plugin was built with, for logs.
  std::uint32_t abiMinor() const { return table_.abi_minor; }

 private:
  std::filesystem::path path_;
  std::shared_ptr<const boost::dll::shared_library> library_;
  hearth_plugin table_{};
  Descriptor descriptor_;
};

/// Refuses a file or folder that someone else could change: it belongs to root or to this process's
/// user, and neither group nor others may write to it. Throws LoadError with the remedy.
void requireTrusted(const std::filesystem::path& path);

}  // namespace hearth::host
