// One plugin's shared object, loaded for good.
#pragma once

#include <hearth/plugin.h>

#include <boost/dll/shared_library.hpp>
#include <cstdint>
#include <filesystem>
#include <stdexcept>

#include "plugin/Descriptor.h"

namespace hearth::host {

/// Why a plugin was not loaded, for the operator.
class LoadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A loaded .so that has passed the checks. Its code stays mapped when this object goes: a thread
/// that the plugin left behind, or a pointer into it, must not fall into a hole.
/// Built on the main thread, read-only afterwards.
class PluginLibrary {
 public:
  /// Loads `file`, an absolute path. Throws LoadError: a path or an owner that is not trusted, a
  /// file that the loader refuses, no hearth_plugin_v1, a table or a descriptor that breaks a rule.
  explicit PluginLibrary(const std::filesystem::path& file);
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
  boost::dll::shared_library library_;
  hearth_plugin table_{};
  Descriptor descriptor_;
};

/// Refuses a file or folder that someone else could change: it belongs to root or to this process's
/// user, and neither group nor others may write to it. Throws LoadError with the remedy.
void requireTrusted(const std::filesystem::path& path);

}  // namespace hearth::host
