#include "plugin/PluginCatalog.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <system_error>
#include <utility>

#include "plugin/CrashNote.h"
#include "plugin/Manifest.h"
#include "plugin/PluginCall.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t mostWithdrawn = 1000;  // each is a line to a client who asks for the kind

std::string quote(std::string_view text) {
  return '"' + std::string(text) + '"';
}

/// Files of `folder` that end in `extension`, hidden ones left out, sorted; empty where there is no
/// such folder. What cannot be looked at is passed over.
std::vector<fs::path> filesIn(const fs::path& folder, const char* extension) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto& path = it->path();
    std::error_code ignored;
    if (path.extension() == extension && path.filename().native().front() != '.' &&
        !it->is_directory(ignored))
      files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string withoutParameter(const std::string& kind) {
  return kind.substr(0, kind.find(':'));
}

bool sameText(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

/// Absolute, but for a path that is empty: there is no such folder then.
fs::path absoluteOrEmpty(const fs::path& folder) {
  return folder.empty() ? folder : fs::absolute(folder);
}

/// A real path where there is one, so that two ways to write a path are one library.
fs::path real(const fs::path& file) {
  std::error_code error;
  auto path = fs::weakly_canonical(file, error);
  return error ? file : path;
}

}  // namespace

const char* CatalogEntry::state() const {
  return loaded ? "loaded" : disabled ? "disabled" : retiring ? "retiring" : "refused";
}

std::string CatalogEntry::canonicalKind(const std::string& kindOrAlias) const {
  if (kindOrAlias.find(':') != std::string::npos) {
    const std::string parameter = PluginCatalog::kindParameter(kindOrAlias);
    const std::string kind = canonicalKind(withoutParameter(kindOrAlias));
    if (kind.empty() || !isName(parameter) || descriptor.kindParameter.empty()) return {};
    return kind + ":" + parameter;
  }
  if (kinds.count(kindOrAlias) != 0) return kindOrAlias;
  const auto alias = aliases.find(kindOrAlias);
  return alias == aliases.end() ? std::string() : alias->second;
}

std::string CatalogEntry::descriptorKind(const std::string& kindOrAlias) const {
  const auto kind = kinds.find(withoutParameter(canonicalKind(kindOrAlias)));
  return kind == kinds.end() ? std::string() : kind->second;
}

bool CatalogEntry::isSameInstance(const CatalogEntry& other) const {
  return library == other.library && instance == other.instance && kinds == other.kinds &&
         leader == other.leader && configJson == other.configJson;
}

PluginCatalog::PluginCatalog(const fs::path& pluginsDir, const fs::path& manifestsDir,
                             Fallbacks fallbacks, const CatalogLook& look)
    : pluginsDir_(absoluteOrEmpty(pluginsDir)), fallbacks_(std::move(fallbacks)), look_(&look) {
  if (look.before != nullptr) {
    examined_ = look.before->examined_;
    libraries_ = look.before->libraries_;
  }
  scan();
  readManifests(absoluteOrEmpty(manifestsDir));
  loadUnclaimed();
  if (look.before != nullptr) retireOthers();
  look_ = nullptr;
}

void PluginCatalog::scan() {
  scanned_ = filesIn(pluginsDir_, ".so");
  std::error_code error;
  for (fs::directory_iterator it(pluginsDir_, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored) || it->path().filename().native().front() == '.') continue;
    const auto inside = filesIn(it->path(), ".so");
    scanned_.insert(scanned_.end(), inside.begin(), inside.end());
  }
  std::sort(scanned_.begin(), scanned_.end());
}

// Whom it was told of before comes first: one that is new takes no kind away.
void PluginCatalog::readManifests(const fs::path& folder) {
  auto files = filesIn(folder, ".json");
  std::stable_partition(files.begin(), files.end(),
                        [this](const fs::path& file) { return wasLoaded(file.string()); });
  for (const auto& file : files) readManifest(file);
}

void PluginCatalog::readManifest(const fs::path& file) {
  Manifest manifest;
  manifest.name = manifest.instance = file.stem().string();
  const auto claimByName = [&] {
    for (const auto& scanned : scanned_)
      if (scanned.stem() == manifest.name) claimed_.push_back(real(scanned));
  };
  if (isUnfinished(file)) {
    if (!keepAsItWas(file.string())) claimByName();
    return;
  }
  CatalogEntry& entry = entries_.emplace_back();
  entry.instance = manifest.instance;
  entry.manifest = entry.path = entry.source = file.string();
  bool missing = false;
  try {
    std::string mistake;
    json::object object;
    try {
      object = Manifest::parse(file);
    } catch (const LoadError& e) {
      mistake = e.what();
    }
    manifest.readLibrary(object);
    std::string unresolved;
    try {
      const auto library = resolveLibrary(manifest);
      entry.path = library.string();
      claimed_.push_back(real(library));
    } catch (const LibraryMissing& e) {
      unresolved = e.what();
      missing = true;
    } catch (const LoadError& e) {
      unresolved = e.what();
    }
    if (!mistake.empty()) throw LoadError(mistake);
    manifest.readAll(object);
    entry.instance = manifest.instance;
    entry.disabled = !manifest.enabled;
    entry.rules = manifest.rules;
    if (entry.disabled) {
      entry.reason = "disabled by " + file.string();
    } else {
      if (!unresolved.empty()) throw LoadError(unresolved);
      load(entry, manifest);
    }
  } catch (const LibraryMissing& e) {
    missing = true;
    entry.reason = e.what();
  } catch (const std::exception& e) {
    entry.reason = e.what();
  }
  if (entry.loaded) return;
  if (isUnfinished(file)) {  // since it was read
    entries_.pop_back();
    if (!keepAsItWas(file.string())) claimByName();
    return;
  }
  // Whatever else is wrong, what is called like the manifest is what it was about.
  claimByName();
  if (!entry.disabled && !missing) keepServing(entry);
}

void PluginCatalog::loadUnclaimed() {
  std::vector<fs::path> files;
  for (const auto& file : scanned_)
    if (std::find(claimed_.begin(), claimed_.end(), real(file)) == claimed_.end())
      files.push_back(file);
  std::stable_partition(files.begin(), files.end(),
                        [this](const fs::path& file) { return wasLoaded(file.string()); });
  for (const auto& file : files) {
    if (isUnfinished(file)) {
      keepAsItWas(file.string());
      continue;
    }
    Manifest defaults;
    defaults.instance = file.stem().string();
    CatalogEntry& entry = entries_.emplace_back();
    entry.instance = defaults.instance;
    entry.path = entry.source = file.string();
    try {
      load(entry, defaults);
    } catch (const std::exception& e) {
      if (isUnfinished(file)) {  // since it was read
        entries_.pop_back();
        keepAsItWas(file.string());
        continue;
      }
      entry.reason = e.what();
      keepServing(entry);
    }
  }
}

fs::path PluginCatalog::resolveLibrary(const Manifest& manifest) const {
  if (!manifest.library.empty()) return pluginsDir_ / manifest.library;  // absolute ones stay
  const fs::path* found = nullptr;
  for (const auto& file : scanned_) {
    if (file.stem() != manifest.name) continue;
    if (found != nullptr)
      throw LoadError("both " + found->string() + " and " + file.string() + " are called " +
                      quote(manifest.name) + "; say which by \"library\"");
    found = &file;
  }
  if (found != nullptr) return *found;
  std::vector<std::string> names;
  for (const auto& file : scanned_) names.push_back(file.stem().string());
  throw LibraryMissing("there is no plugin called " + quote(manifest.name) + " in " +
                       pluginsDir_.string() + nearestHint(manifest.name, names));
}

void PluginCatalog::load(CatalogEntry& entry, const Manifest& manifest) {
  const fs::path file = entry.path;
  if (isUnfinished(file)) throw LoadError("it is still being written");
  const auto seen = examined_.find(file.string());
  entry.file = LibraryFile::examine(file, seen == examined_.end() ? nullptr : &seen->second);
  examined_[file.string()] = entry.file;
  if (!manifest.sha256.empty() && !sameText(entry.file.sha256, manifest.sha256))
    throw LoadError("its SHA-256 is " + entry.file.sha256 + ", the manifest expects " +
                    manifest.sha256);
  const auto library = open(entry);
  entry.library = library;
  describe(entry, manifest);
  requireFree(entry);
  std::vector<std::string> kinds;
  for (const auto& kind : entry.kinds) kinds.push_back(kind.first);
  crash::knowPlugin(entry.instance, entry.descriptor.version, entry.path, kinds);
  entry.table = &library->table();
  if (const CatalogEntry* const before = servedBefore(entry)) {
    entry.live = before->live;
    entry.loadedAt = before->loadedAt;
  } else {
    create(entry);
  }
  offer(entry);
}

// Its code runs here for the first time: what it does then is told of the instance it is for.
std::shared_ptr<const PluginLibrary> PluginCatalog::open(CatalogEntry& entry) {
  const std::string path = entry.file.path.string();
  if (look_->crashes != nullptr) {
    entry.lastCrash = look_->crashes->last(entry.instance);
    const std::string why = look_->crashes->barred(entry.instance, path);
    entry.quarantined = !why.empty();
    if (entry.quarantined) throw LoadError(why);
  }
  auto& library = libraries_[{path, entry.file.sha256}];
  if (library != nullptr) return library;
  crash::knowPlugin(entry.instance, std::string(), path, {});
  PluginCall call;
  call.instance = entry.instance.c_str();
  call.path = path.c_str();
  call.slot = "load";
  call.takingUp = true;
  const PluginCallMark mark(call);
  library = std::make_shared<const PluginLibrary>(entry.file);
  return library;
}

void PluginCatalog::describe(CatalogEntry& entry, const Manifest& manifest) {
  entry.path = entry.library->path().string();
  entry.descriptor = entry.library->descriptor();
  entry.abiMinor = entry.library->abiMinor();
  const auto& descriptor = entry.descriptor;
  std::vector<std::string> renamable = descriptor.kinds;
  if (!descriptor.leader.empty()) renamable.push_back(descriptor.leader);
  for (const auto& renamed : manifest.kinds)
    if (std::find(renamable.begin(), renamable.end(), renamed.first) == renamable.end())
      throw LoadError("manifest key \"kinds\": the plugin has no kind " + quote(renamed.first) +
                      nearestHint(renamed.first, renamable));
  const auto offered = [&](const std::string& kind) {
    const auto renamed = manifest.kinds.find(kind);
    return renamed == manifest.kinds.end() ? kind : renamed->second;
  };
  for (const auto& kind : descriptor.kinds)
    if (!entry.kinds.emplace(offered(kind), kind).second)
      throw LoadError("manifest key \"kinds\" gives two kinds the name " + quote(offered(kind)));
  for (const auto& [alias, kind] : descriptor.aliases)
    if (offered(kind) == kind) entry.aliases.emplace(alias, kind);
  entry.leader = offered(descriptor.leader);

  json::object given = manifest.config;
  for (const auto& [key, value] : fallbacks_)
    if (!value.empty() && descriptor.config.count(key) != 0 && !given.contains(key))
      given[key] = value;
  auto config = descriptor.mergeConfig(given);
  config["plugin_dir"] = entry.library->path().parent_path().string();
  entry.configJson = json::serialize(config);
}

// What has failed is not tried again with each thing that happens in the folders.
void PluginCatalog::create(CatalogEntry& entry) {
  if (!look_->create) return;
  if (look_->before != nullptr && !look_->again)
    for (const auto& failed : look_->before->entries_)
      if (failed.createFailed && failed.isSameInstance(entry)) {
        entry.createFailed = true;
        throw LoadError(failed.reason);
      }
  try {
    entry.live = look_->create(entry);
    entry.loadedAt = nowMillis();
  } catch (const LoadError&) {
    entry.createFailed = true;
    throw;
  }
}

void PluginCatalog::requireFree(const CatalogEntry& entry) const {
  for (const auto& other : entries_)
    if (other.loaded && other.instance == entry.instance)
      throw LoadError("there is an instance " + quote(entry.instance) + " already, of " +
                      other.path);
  for (const auto& kind : entry.kinds)
    if (const auto other = byKind_.find(kind.first); other != byKind_.end())
      throw LoadError("kind " + quote(kind.first) + " is offered by " +
                      quote(other->second->instance) + " (" + other->second->path + ") already");
}

void PluginCatalog::offer(CatalogEntry& entry) {
  for (const auto& kind : entry.kinds) byKind_.emplace(kind.first, &entry);
  for (const auto& [alias, kind] : entry.aliases) {
    const auto placed = byAlias_.emplace(alias, std::make_pair(&entry, kind));
    if (!placed.second && look_->before == nullptr)
      log().warn("plugin {}: alias {} stays with {}", entry.instance, alias,
                 placed.first->second.first->instance);
  }
  entry.loaded = true;
}

bool PluginCatalog::wasLoaded(const std::string& source) const {
  if (look_->before == nullptr) return false;
  const auto& before = look_->before->entries_;
  return std::any_of(before.begin(), before.end(), [&](const CatalogEntry& entry) {
    return entry.loaded && entry.source == source;
  });
}

/// The entry that the same instance had; null where one has to be created.
const CatalogEntry* PluginCatalog::servedBefore(const CatalogEntry& entry) const {
  if (look_->before == nullptr) return nullptr;
  for (const auto& served : look_->before->entries_)
    if (served.loaded && served.live != nullptr && served.isSameInstance(entry)) return &served;
  return nullptr;
}

bool PluginCatalog::isUnfinished(const fs::path& file) const {
  if (!look_->isUnfinished) return false;
  const fs::path resolved = real(file);
  return look_->isUnfinished(file) || (resolved != file && look_->isUnfinished(resolved));
}

// Of a file that is not to be looked at yet. False where it is a new one.
bool PluginCatalog::keepAsItWas(const std::string& source) {
  if (look_->before == nullptr) return false;
  bool found = false;
  for (const auto& was : look_->before->entries_) {
    if (was.source != source || was.retiring) continue;
    found = true;
    claimed_.push_back(real(was.path));
    CatalogEntry& entry = entries_.emplace_back(was);
    if (!was.loaded) continue;
    entry.loaded = false;
    try {
      requireFree(entry);
      offer(entry);
    } catch (const LoadError& e) {
      entry.live = nullptr;
      entry.reason = e.what();
    }
  }
  return found;
}

/// What was served in the place of one that is refused now goes on to be.
void PluginCatalog::keepServing(const CatalogEntry& refused) {
  if (look_->before == nullptr) return;
  for (const auto& was : look_->before->entries_) {
    if (!was.loaded || (was.source != refused.source && was.instance != refused.instance)) continue;
    CatalogEntry kept = was;
    kept.loaded = false;
    try {
      requireFree(kept);
    } catch (const LoadError&) {
      continue;  // another has taken its name or kind meanwhile
    }
    claimed_.push_back(real(was.path));
    offer(entries_.emplace_back(std::move(kept)));
  }
}

void PluginCatalog::retireOthers() {
  const auto whyNoMore = [this](const CatalogEntry& was) -> std::string {
    const CatalogEntry* now = nullptr;
    for (const auto& entry : entries_)
      if (!entry.retiring && (entry.source == was.source || entry.instance == was.instance) &&
          (now == nullptr || entry.loaded))
        now = &entry;
    if (now == nullptr) return was.source + " was removed";
    if (!now->loaded) return now->reason;
    if (now->library != was.library)
      return "replaced by version " + now->descriptor.version + " from " + now->path;
    return "its configuration has changed";
  };
  for (const auto& was : look_->before->entries_) {
    if (was.loaded) {
      const std::string reason = whyNoMore(was);
      for (const auto& kind : was.kinds)
        if (byKind_.count(kind.first) == 0)
          withdrawn_[kind.first] = "plugin " + was.instance + ": " + reason;
      const bool goesOn = std::any_of(
          entries_.begin(), entries_.end(),
          [&](const CatalogEntry& entry) { return entry.loaded && entry.live == was.live; });
      if (goesOn || was.live == nullptr) continue;
      CatalogEntry& entry = entries_.emplace_back(was);
      entry.loaded = false;
      entry.retiring = true;
      entry.reason = reason;
      entry.last = std::exchange(entry.live, nullptr);
    } else if (was.retiring && !was.last.expired()) {
      entries_.push_back(was);
    }
  }
  for (const auto& [kind, reason] : look_->before->withdrawn_)
    if (byKind_.count(kind) == 0 && withdrawn_.size() < mostWithdrawn)
      withdrawn_.emplace(kind, reason);
}

const CatalogEntry* PluginCatalog::find(const std::string& kindOrAlias) const {
  const auto kind = byKind_.find(withoutParameter(canonicalKind(kindOrAlias)));
  return kind == byKind_.end() ? nullptr : kind->second;
}

std::string PluginCatalog::kindParameter(const std::string& kindOrAlias) {
  const std::size_t colon = kindOrAlias.find(':');
  return colon == std::string::npos ? std::string() : kindOrAlias.substr(colon + 1);
}

std::string PluginCatalog::canonicalKind(const std::string& kindOrAlias) const {
  const std::string word = withoutParameter(kindOrAlias);
  // A kind outranks another's alias.
  if (const auto kind = byKind_.find(word); kind != byKind_.end())
    return kind->second->canonicalKind(kindOrAlias);
  const auto alias = byAlias_.find(word);
  return alias == byAlias_.end() ? std::string() : alias->second.first->canonicalKind(kindOrAlias);
}

std::string PluginCatalog::descriptorKind(const std::string& kindOrAlias) const {
  const auto* entry = find(kindOrAlias);
  return entry == nullptr ? std::string() : entry->descriptorKind(kindOrAlias);
}

std::vector<std::string> PluginCatalog::kinds() const {
  std::vector<std::string> names;
  for (const auto& kind : byKind_) names.push_back(kind.first);
  return names;
}

std::string PluginCatalog::whyNot(const std::string& kindOrAlias) const {
  const std::string kind = withoutParameter(kindOrAlias);
  if (const auto found = withdrawn_.find(kind); found != withdrawn_.end()) return found->second;
  for (const auto& entry : entries_)
    if (!entry.loaded && !entry.retiring &&
        (entry.instance == kind || entry.descriptor.id == kind || entry.kinds.count(kind) != 0))
      return "plugin " + entry.instance + (entry.disabled ? ": " : " is refused: ") + entry.reason;
  return {};
}

std::set<fs::path> PluginCatalog::libraryFolders() const {
  std::set<fs::path> folders;
  for (const auto& entry : entries_)
    if (!entry.manifest.empty() && !entry.retiring && entry.path != entry.manifest)
      folders.insert(fs::path(entry.path).parent_path());
  return folders;
}

}  // namespace hearth::host
