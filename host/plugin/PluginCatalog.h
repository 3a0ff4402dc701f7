// Which plugins there are, which of them this deployment uses, and how.
#pragma once

#include <hearth/plugin.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/Descriptor.h"
#include "plugin/PluginCrashes.h"
#include "plugin/PluginLibrary.h"

namespace hearth::host {

/// A plugin with one configuration, or the reason why it is not to be had.
struct CatalogEntry {
  std::string instance;  ///< unique among the loaded ones
  std::string path;      ///< of the .so; of the manifest where that names no .so
  std::string manifest;  ///< path, empty: loaded with defaults
  bool loaded = false;
  bool disabled = false;     ///< by its manifest; then it is not loaded and that is no failure
  bool quarantined = false;  ///< as it has crashed the host; then it is not loaded
  std::string reason;        ///< why it is not loaded
  std::optional<PluginCrashes::Entry> lastCrash;

  // Filled as far as was reached; complete where loaded.
  Descriptor descriptor;                       ///< as the plugin has it
  std::map<std::string, std::string> kinds;    ///< kind offered to that kind's descriptor spelling
  std::map<std::string, std::string> aliases;  ///< alias to kind offered
  std::string leader;                          ///< kind offered by its leader, or empty
  std::uint32_t abiMinor = 0;
  std::string configJson;  ///< defaults, the manifest's "config" over them, and "plugin_dir"
  std::shared_ptr<const PluginLibrary> library;  ///< shared by the instances of one .so
  const hearth_plugin* table = nullptr;          ///< full length, lives as long as `library`
};

/// The plugins folder (*.so and */*.so) and the manifests (plugins.d/*.json). A manifest:
///
///     {"manifest_version": 1,
///      "name": stem of a file in the plugins folder; default: the manifest's own,
///      "library": path instead, absolute or relative to the plugins folder,
///      "instance": name; default: the manifest's stem,
///      "enabled": true, "sha256": hex digest of the library,
///      "kinds": {kind of the descriptor, or its leader: name to offer it by},
///      "config": {keys of the descriptor}}
///
/// A library that no manifest names is loaded with its defaults. One bad plugin, or manifest, is
/// refused with its reason and stops nothing else; its library is then not loaded with defaults
/// either. Where two offer the same kind the second is refused: manifests come first, in the order
/// of their file names. A kind that is renamed leaves its aliases to whom keeps the name.
///
/// Built on the main thread, which may also call refuse(); read-only, from any thread, afterwards.
/// It does not create instances, PluginHost does.
class PluginCatalog {
 public:
  /// Texts for configuration keys of plugins that have them, where no manifest sets them.
  using Fallbacks = std::map<std::string, std::string>;

  /// Never throws for what it finds in the folders; a folder that is missing counts as empty.
  /// `crashes`, where given, says what is in quarantine, and outlives this.
  PluginCatalog(const std::filesystem::path& pluginsDir, const std::filesystem::path& manifestsDir,
                Fallbacks fallbacks = {}, const PluginCrashes* crashes = nullptr);
  PluginCatalog(const PluginCatalog&) = delete;
  PluginCatalog& operator=(const PluginCatalog&) = delete;

  std::deque<CatalogEntry>& entries() { return entries_; }
  const std::deque<CatalogEntry>& entries() const { return entries_; }

  /// The loaded plugin that offers a kind, or an alias of one; null where none does.
  const CatalogEntry* find(const std::string& kindOrAlias) const;
  /// The kind offered that an alias stands for, a kind itself; empty where unknown.
  /// "KIND:PARAMETER" is a kind too, with a name for PARAMETER, where the plugin's descriptor has
  /// kind_parameter.
  std::string canonicalKind(const std::string& kindOrAlias) const;
  /// The same in the descriptor's spelling, which is what the plugin's open() is told.
  std::string descriptorKind(const std::string& kindOrAlias) const;
  /// PARAMETER of "KIND:PARAMETER", or empty.
  static std::string kindParameter(const std::string& kindOrAlias);
  /// Kinds offered, sorted.
  std::vector<std::string> kinds() const;

  /// Takes back an entry that turned out not to work; its kinds are not offered any more.
  void refuse(CatalogEntry& entry, const std::string& reason);

 private:
  struct Manifest;
  void scan();
  void readManifest(const std::filesystem::path& file);
  std::filesystem::path resolveLibrary(const Manifest& manifest) const;
  void load(CatalogEntry& entry, const Manifest& manifest);
  std::shared_ptr<const PluginLibrary> open(CatalogEntry& entry, const std::filesystem::path& file);
  void offer(CatalogEntry& entry);

  std::filesystem::path pluginsDir_;
  const Fallbacks fallbacks_;
  const PluginCrashes* const crashes_;
  std::vector<std::filesystem::path> scanned_;  // sorted
  std::vector<std::filesystem::path> claimed_;  // libraries that a manifest speaks for
  std::map<std::string, std::shared_ptr<const PluginLibrary>> libraries_;
  std::deque<CatalogEntry> entries_;  // a deque: pointers to its elements stay good as it grows
  std::map<std::string, const CatalogEntry*> byKind_;
  std::map<std::string, std::pair<const CatalogEntry*, std::string>> byAlias_;
};

}  // namespace hearth::host
