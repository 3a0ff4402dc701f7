// The plugin under check, loaded.
#pragma once

#include <hearth/plugin.h>

#include <string>

#include "Check.h"
#include "plugin/Descriptor.h"

namespace hearth::check {

/// Loaded once per process, as a host loads it, and never unloaded.
class Plugin {
 public:
  /// Throws Skipped where the file cannot be loaded or has no table: checks of the groups file and
  /// tables are those to fail for it.
  static const Plugin& of(const Subject& subject);

  /// What hearth_plugin_v1 returned: of whatever length. Null where it returned that.
  const hearth_plugin* given() const { return given_; }
  /// A copy of full length. Throws Skipped where a required slot is missing.
  const hearth_plugin& table() const;
  /// Throws Skipped where it breaks a rule.
  const host::Descriptor& descriptor() const;
  /// Calls the entry once more.
  const hearth_plugin* ask() const { return entry_(); }

  /// What create() is given: defaults, the quirks' config over them, and plugin_dir.
  std::string configJson(const Subject& subject) const;
  /// What open() is given; `folder` is the session's.
  std::string optionsJson(const Subject& subject, const std::string& folder) const;
  std::string kind(const Subject& subject) const;

 private:
  explicit Plugin(const Subject& subject);

  using Entry = const hearth_plugin* (*)();
  Entry entry_ = nullptr;
  const hearth_plugin* given_ = nullptr;
  hearth_plugin table_{};
  bool whole_ = false;
};

struct RequiredSlot {
  const char* name;
  std::size_t offset;
};
/// Of hearth_plugin.
extern const RequiredSlot requiredSlots[7];

/// Whether a struct_size can be one of a hearth_plugin's.
bool isTableSize(std::uint32_t size);

}  // namespace hearth::check
