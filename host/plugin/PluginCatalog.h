// Which plugins there are, which of them this deployment uses, and how.
#pragma once

#include <hearth/plugin.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plugin/Descriptor.h"
#include "plugin/InstanceRules.h"
#include "plugin/PluginCrashes.h"
#include "plugin/PluginLibrary.h"

namespace hearth::host {

struct PluginInstance;
struct Manifest;

/// A plugin with one configuration, or the reason why it is not to be had.
struct CatalogEntry {
  std::string instance;  ///< unique among the loaded ones
  std::string path;      ///< of the .so; of the manifest where that names no .so
  std::string manifest;  ///< path, empty: loaded with defaults
  std::string source;    ///< what it stands for: the manifest, or the .so as the folder has it
  bool loaded = false;
  bool disabled = false;      ///< by its manifest; then it is not loaded and that is no failure
  bool quarantined = false;   ///< as it has crashed the host; then it is not loaded
  bool retiring = false;      ///< takes no new sessions; those that it has go on
  std::string reason;         ///< why it is not loaded, or why it retires
  std::int64_t loadedAt = 0;  ///< milliseconds since the epoch; 0: never
  std::optional<PluginCrashes::Entry> lastCrash;

  // Filled as far as was reached; complete where loaded or retiring.
  LibraryFile file;
  Descriptor descriptor;                       ///< as the plugin has it
  std::map<std::string, std::string> kinds;    ///< kind offered to that kind's descriptor spelling
  std::map<std::string, std::string> aliases;  ///< alias to kind offered
  std::string leader;                          ///< kind offered by its leader, or empty
  std::uint32_t abiMinor = 0;
  std::string configJson;  ///< defaults, the manifest's "config" over them, and "plugin_dir"
  InstanceRules rules;
  std::shared_ptr<const PluginLibrary> library;  ///< shared by the instances of one .so
  const hearth_plugin* table = nullptr;          ///< full length, lives as long as `library`
  std::shared_ptr<const PluginInstance> live;    ///< of a loaded one, where instances are created
  std::weak_ptr<const PluginInstance> last;      ///< of a retiring one: gone with its last session
  bool createFailed = false;

  /// loaded, disabled, retiring or refused.
  const char* state() const;
  /// The kind offered that an alias stands for, a kind itself; empty where it is none of these.
  /// "KIND:PARAMETER" is a kind too, with a name for PARAMETER, where the descriptor has
  /// kind_parameter.
  std::string canonicalKind(const std::string& kindOrAlias) const;
  /// The same in the descriptor's spelling, which is what the plugin's open() is told.
  std::string descriptorKind(const std::string& kindOrAlias) const;
  /// The same library under the same name and configuration: one instance serves both.
  bool isSameInstance(const CatalogEntry& other) const;
};

class PluginCatalog;

/// How a catalog is made.
struct CatalogLook {
  const PluginCatalog* before = nullptr;
  /// Makes the instance of an entry; throws LoadError. Empty: none are made.
  std::function<std::shared_ptr<const PluginInstance>(const CatalogEntry&)> create;
  /// Tries what has failed once more, though nothing of it has changed.
  bool again = false;
  /// Whether a file is being written right now. Empty: none is.
  std::function<bool(const std::filesystem::path&)> isUnfinished;
  const PluginCrashes* crashes = nullptr;  ///< what is in quarantine; null: nothing
};

/// The plugins folder (*.so and */*.so) and the manifests (plugins.d/*.json). A manifest:
///
///     {"manifest_version": 1,
///      "name": stem of a file in the plugins folder; default: the manifest's own,
///      "library": path instead, absolute or relative to the plugins folder,
///      "instance": name; default: the manifest's stem,
///      "enabled": true, "sha256": hex digest of the library,
///      "kinds": {kind of the descriptor, or its leader: name to offer it by},
///      "config": {keys of the descriptor},
///      "defaults": {what create requests leave out}, "limits": {of sessions}}
///
/// A library that no manifest names is loaded with its defaults. One bad plugin, or manifest, is
/// refused with its reason and stops nothing else; its library is then not loaded with defaults
/// either. Where two offer the same kind the second is refused: manifests come first, then whoever
/// was there before, then the order of file names. A kind that is renamed leaves its aliases to
/// whom keeps the name.
///
/// One look at the folders. A later look is a new catalog, which is told of the one before: what
/// has not changed stays as it is, and what was served goes on to be where what has taken its place
/// is refused. Read-only, from any thread, once it is built; one is built at a time.
class PluginCatalog {
 public:
  /// Texts for configuration keys of plugins that have them, where no manifest sets them.
  using Fallbacks = std::map<std::string, std::string>;

  /// Never throws for what it finds in the folders; a folder that is missing counts as empty.
  PluginCatalog(const std::filesystem::path& pluginsDir, const std::filesystem::path& manifestsDir,
                Fallbacks fallbacks = {}, const CatalogLook& look = {});
  PluginCatalog(const PluginCatalog&) = delete;
  PluginCatalog& operator=(const PluginCatalog&) = delete;

  const std::deque<CatalogEntry>& entries() const { return entries_; }

  /// The loaded plugin that offers a kind, or an alias of one; null where none does.
  const CatalogEntry* find(const std::string& kindOrAlias) const;
  /// As CatalogEntry has these, of all that are loaded.
  std::string canonicalKind(const std::string& kindOrAlias) const;
  std::string descriptorKind(const std::string& kindOrAlias) const;
  /// PARAMETER of "KIND:PARAMETER", or empty.
  static std::string kindParameter(const std::string& kindOrAlias);
  /// Kinds offered, sorted.
  std::vector<std::string> kinds() const;
  /// Of a kind that is not offered: the plugin that could and why it does not; empty: none is
  /// known.
  std::string whyNot(const std::string& kindOrAlias) const;
  /// Folders, beside the plugins folder and those in it, that have a library of a manifest.
  std::set<std::filesystem::path> libraryFolders() const;

 private:
  void scan();
  void readManifests(const std::filesystem::path& folder);
  void readManifest(const std::filesystem::path& file);
  void loadUnclaimed();
  std::filesystem::path resolveLibrary(const Manifest& manifest) const;
  void load(CatalogEntry& entry, const Manifest& manifest);
  std::shared_ptr<const PluginLibrary> open(CatalogEntry& entry);
  void describe(CatalogEntry& entry, const Manifest& manifest);
  void requireFree(const CatalogEntry& entry) const;
  void create(CatalogEntry& entry);
  void offer(CatalogEntry& entry);
  bool wasLoaded(const std::string& source) const;
  const CatalogEntry* servedBefore(const CatalogEntry& entry) const;
  bool isUnfinished(const std::filesystem::path& file) const;
  bool keepAsItWas(const std::string& source);
  void keepServing(const CatalogEntry& refused);
  void retireOthers();

  std::filesystem::path pluginsDir_;
  const Fallbacks fallbacks_;
  const CatalogLook* look_;                      // while it is built
  std::vector<std::filesystem::path> scanned_;   // sorted
  std::vector<std::filesystem::path> claimed_;   // libraries that a manifest speaks for
  std::map<std::string, LibraryFile> examined_;  // by path: what need not be read again
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const PluginLibrary>>
      libraries_;                     // by path and digest
  std::deque<CatalogEntry> entries_;  // a deque: pointers to its elements stay good as it grows
  std::map<std::string, const CatalogEntry*> byKind_;
  std::map<std::string, std::pair<const CatalogEntry*, std::string>> byAlias_;
  std::map<std::string, std::string> withdrawn_;  // kinds once offered, and why no longer
};

}  // namespace hearth::host
