#include "plugin/PluginCatalog.h"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "plugin/CrashNote.h"
#include "plugin/PluginCall.h"
#include "support/Log.h"

namespace hearth::host {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

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

std::string readFile(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) throw LoadError("cannot be read: " + file.string());
  return content;
}

std::string sha256(const fs::path& file) {
  if (!fs::is_regular_file(file)) throw LoadError(file.string() + " is not a regular file");
  const std::string content = readFile(file);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(content.data(), content.size(), digest, &length, EVP_sha256(), nullptr) != 1)
    throw LoadError("its SHA-256 cannot be computed");
  static const char* const hex = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    text += hex[digest[i] >> 4];
    text += hex[digest[i] & 15];
  }
  return text;
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

/// A manifest's content. Read in two steps: which library it is about, as far as that can be made
/// out, so that a manifest with a mistake still keeps its library from being loaded with defaults;
/// then everything, strictly.
struct PluginCatalog::Manifest {
  std::string name;
  std::string library;
  std::string instance;
  std::string sha256;
  bool enabled = true;
  std::map<std::string, std::string> kinds;
  json::object config;

  void readLibrary(const json::object& object) {
    if (const auto* value = object.if_contains("name"); value && value->is_string())
      name = std::string(value->get_string());
    if (const auto* value = object.if_contains("library"); value && value->is_string())
      library = std::string(value->get_string());
  }

  void readAll(const json::object& object) {
    static const std::vector<std::string> known{
        "manifest_version", "name", "library", "instance", "sha256", "enabled", "kinds", "config"};
    for (const auto& entry : object)
      if (std::find(known.begin(), known.end(), entry.key()) == known.end())
        throw LoadError("unknown manifest key " + quote(entry.key()) +
                        nearestHint(entry.key(), known));

    const auto* version = object.if_contains("manifest_version");
    if (version == nullptr) throw LoadError("the manifest has no \"manifest_version\"");
    if (!version->is_int64() || version->get_int64() != 1)
      throw LoadError("manifest_version " + json::serialize(*version) +
                      " is not one that this host reads; it reads 1");

    const auto text = [&](const char* key, std::string& out) {
      const auto* value = object.if_contains(key);
      if (value == nullptr) return;
      if (!value->is_string() || value->get_string().empty())
        throw LoadError("manifest key " + quote(key) + " is not a text, or is empty");
      out = std::string(value->get_string());
    };
    text("name", name);
    text("library", library);
    text("instance", instance);
    text("sha256", sha256);
    if (!isName(instance))
      throw LoadError("instance " + quote(instance) +
                      " is not a name: letters, digits, and . _ - + inside");
    if (const auto* value = object.if_contains("enabled")) {
      if (!value->is_bool()) throw LoadError("manifest key \"enabled\" is neither true nor false");
      enabled = value->get_bool();
    }
    if (const auto* value = object.if_contains("kinds")) {
      if (!value->is_object()) throw LoadError("manifest key \"kinds\" is not an object");
      for (const auto& [kind, offered] : value->get_object()) {
        if (!offered.is_string() || !isName(std::string_view(offered.get_string())))
          throw LoadError("manifest key \"kinds\": the new name of " + quote(kind) +
                          " is not a name");
        kinds.emplace(kind, offered.get_string());
      }
    }
    if (const auto* value = object.if_contains("config")) {
      if (!value->is_object()) throw LoadError("manifest key \"config\" is not an object");
      config = value->get_object();
    }
  }
};

PluginCatalog::PluginCatalog(const fs::path& pluginsDir, const fs::path& manifestsDir,
                             Fallbacks fallbacks, const PluginCrashes* crashes)
    : pluginsDir_(absoluteOrEmpty(pluginsDir)),
      fallbacks_(std::move(fallbacks)),
      crashes_(crashes) {
  scan();
  for (const auto& file : filesIn(absoluteOrEmpty(manifestsDir), ".json")) readManifest(file);
  for (const auto& file : scanned_) {
    if (std::find(claimed_.begin(), claimed_.end(), real(file)) != claimed_.end()) continue;
    Manifest defaults;
    defaults.instance = file.stem().string();
    CatalogEntry& entry = entries_.emplace_back();
    entry.instance = defaults.instance;
    entry.path = file.string();
    load(entry, defaults);
  }
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

void PluginCatalog::readManifest(const fs::path& file) {
  CatalogEntry& entry = entries_.emplace_back();
  Manifest manifest;
  manifest.name = manifest.instance = entry.instance = file.stem().string();
  entry.manifest = entry.path = file.string();
  try {
    std::string mistake;
    json::object object;
    try {
      // A manifest decides what code is loaded and with what paths: as trusted as the code.
      requireTrusted(file.parent_path());
      requireTrusted(file);
      json::error_code error;
      auto value = json::parse(readFile(file), error);
      if (error) throw LoadError("the manifest is not JSON: " + error.message());
      if (!value.is_object()) throw LoadError("the manifest is not a JSON object");
      object = std::move(value.get_object());
    } catch (const LoadError& e) {
      mistake = e.what();
    }
    manifest.readLibrary(object);
    std::string unresolved;
    try {
      const auto library = resolveLibrary(manifest);
      entry.path = library.string();
      claimed_.push_back(real(library));
    } catch (const LoadError& e) {
      unresolved = e.what();
    }
    if (!mistake.empty()) throw LoadError(mistake);
    manifest.readAll(object);
    entry.instance = manifest.instance;
    entry.disabled = !manifest.enabled;
    if (entry.disabled) {
      entry.reason = "disabled by " + file.string();
    } else {
      if (!unresolved.empty()) throw LoadError(unresolved);
      load(entry, manifest);
    }
  } catch (const std::exception& e) {
    entry.reason = e.what();
  }
  // Whatever else is wrong, what is called like the manifest is what it was about.
  if (entry.loaded) return;
  for (const auto& scanned : scanned_)
    if (scanned.stem() == manifest.name) claimed_.push_back(real(scanned));
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
  throw LoadError("there is no plugin called " + quote(manifest.name) + " in " +
                  pluginsDir_.string() + nearestHint(manifest.name, names));
}

void PluginCatalog::load(CatalogEntry& entry, const Manifest& manifest) {
  try {
    const fs::path file = entry.path;
    if (!manifest.sha256.empty()) {
      const auto digest = sha256(file);
      if (!sameText(digest, manifest.sha256))
        throw LoadError("its SHA-256 is " + digest + ", the manifest expects " + manifest.sha256);
    }
    const auto library = open(entry, file);
    entry.library = library;
    entry.path = library->path().string();
    entry.descriptor = library->descriptor();
    entry.abiMinor = library->abiMinor();

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
    config["plugin_dir"] = library->path().parent_path().string();
    entry.configJson = json::serialize(config);
    entry.table = &library->table();
    offer(entry);
    std::vector<std::string> kinds;
    for (const auto& kind : entry.kinds) kinds.push_back(kind.first);
    crash::knowPlugin(entry.instance, descriptor.version, entry.path, kinds);
  } catch (const std::exception& e) {
    entry.loaded = false;
    entry.table = nullptr;
    entry.reason = e.what();
  }
}

// Its code runs here for the first time: what it does then is told of the instance it is for.
std::shared_ptr<const PluginLibrary> PluginCatalog::open(CatalogEntry& entry,
                                                         const fs::path& file) {
  const std::string path = real(file).string();
  if (crashes_ != nullptr) {
    entry.lastCrash = crashes_->last(entry.instance);
    const std::string why = crashes_->barred(entry.instance, path);
    entry.quarantined = !why.empty();
    if (entry.quarantined) throw LoadError(why);
  }
  auto& library = libraries_[path];
  if (library == nullptr) {
    crash::knowPlugin(entry.instance, std::string(), path, {});
    PluginCall call;
    call.instance = entry.instance.c_str();
    call.path = path.c_str();
    call.slot = "load";
    call.takingUp = true;
    const PluginCallMark mark(call);
    library = std::make_shared<const PluginLibrary>(file);
  }
  return library;
}

void PluginCatalog::offer(CatalogEntry& entry) {
  for (const auto& other : entries_)
    if (other.loaded && other.instance == entry.instance)
      throw LoadError("there is an instance " + quote(entry.instance) + " already, of " +
                      other.path);
  for (const auto& kind : entry.kinds)
    if (const auto other = byKind_.find(kind.first); other != byKind_.end())
      throw LoadError("kind " + quote(kind.first) + " is offered by " +
                      quote(other->second->instance) + " (" + other->second->path + ") already");
  for (const auto& kind : entry.kinds) byKind_.emplace(kind.first, &entry);
  for (const auto& [alias, kind] : entry.aliases) {
    const auto placed = byAlias_.emplace(alias, std::make_pair(&entry, kind));
    if (!placed.second)
      log().warn("plugin {}: alias {} stays with {}", entry.instance, alias,
                 placed.first->second.first->instance);
  }
  entry.loaded = true;
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
  if (kindOrAlias.find(':') != std::string::npos) {
    const std::string parameter = kindParameter(kindOrAlias);
    const std::string kind = canonicalKind(withoutParameter(kindOrAlias));
    if (kind.empty() || !isName(parameter) || byKind_.at(kind)->descriptor.kindParameter.empty())
      return {};
    return kind + ":" + parameter;
  }
  if (byKind_.count(kindOrAlias) != 0) return kindOrAlias;  // a kind outranks another's alias
  const auto alias = byAlias_.find(kindOrAlias);
  return alias == byAlias_.end() ? std::string() : alias->second.second;
}

std::string PluginCatalog::descriptorKind(const std::string& kindOrAlias) const {
  const auto* entry = find(kindOrAlias);
  return entry == nullptr ? std::string()
                          : entry->kinds.at(withoutParameter(canonicalKind(kindOrAlias)));
}

std::vector<std::string> PluginCatalog::kinds() const {
  std::vector<std::string> names;
  for (const auto& kind : byKind_) names.push_back(kind.first);
  return names;
}

void PluginCatalog::refuse(CatalogEntry& entry, const std::string& reason) {
  entry.loaded = false;
  entry.table = nullptr;
  entry.reason = reason;
  for (auto it = byKind_.begin(); it != byKind_.end();)
    it = it->second == &entry ? byKind_.erase(it) : std::next(it);
  for (auto it = byAlias_.begin(); it != byAlias_.end();)
    it = it->second.first == &entry ? byAlias_.erase(it) : std::next(it);
}

}  // namespace hearth::host
