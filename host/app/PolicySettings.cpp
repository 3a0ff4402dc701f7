#include "app/PolicySettings.h"

#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "app/ClusterSettings.h"
#include "cluster/HadoopFile.h"
#include "policy/ConfKeys.h"

namespace hearth::host {

namespace {

SettingsError wrong(const char* key, const std::string& text) {
  return SettingsError(std::string(key) + ": " + text);
}

// "key=value; key=value", ";;" for a ';' in a value.
std::map<std::string, std::string> confSetting(const Settings& settings, const char* key) {
  std::map<std::string, std::string> found;
  const auto add = [&](const std::string& text) {
    const std::string entry = trimmed(text);
    if (entry.empty()) return;
    const auto equals = entry.find('=');
    const std::string name = trimmed(entry.substr(0, equals));
    if (equals == std::string::npos || name.empty())
      throw wrong(key, "'" + entry + "' is not key=value");
    if (name == "spark.app.name")
      throw wrong(key, "spark.app.name is the name of the session or batch");
    if (!found.emplace(name, trimmed(entry.substr(equals + 1))).second)
      throw wrong(key, name + " is there twice");
  };
  const std::string text = settings.text(key);
  std::string entry;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != ';') {
      entry += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == ';') {
      entry += text[at++];
    } else {
      add(std::exchange(entry, {}));
    }
  }
  add(entry);
  return found;
}

std::vector<std::string> patterns(const Settings& settings, const char* key) {
  std::vector<std::string> found = commaList(settings.text(key));
  for (const std::string& pattern : found)
    if (pattern.find('*') < pattern.size() - 1)
      throw wrong(key, "'" + pattern + "': a '*' may only be at the end");
  return found;
}

PathRules::Options pathOptions(const Settings& settings, const std::string& data) {
  PathRules::Options options;
  const std::string local = settings.text("policy.paths.local");
  if (!local.empty()) {
    options.local.emplace();
    if (trimmed(local) != "none") options.local = commaList(local);
    for (const std::string& folder : *options.local)
      if (folder.front() != '/')
        throw wrong("policy.paths.local", "'" + folder + "' is not an absolute path");
  }
  options.closed = {std::filesystem::absolute(data).string()};
  for (const std::string& scheme : commaList(settings.text("policy.paths.schemes")))
    options.schemes.push_back(lowered(scheme));
  options.keys = patterns(settings, "policy.paths.keys");
  return options;
}

// The masters that plugins choose; none where one of them leaves it to its users.
std::set<std::string> sessionMasters(const PluginCatalog& catalog) {
  std::set<std::string> masters;
  for (const CatalogEntry& entry : catalog.entries()) {
    if (!entry.loaded || entry.descriptor.config.count("master") == 0) continue;
    const std::string master = configText(entry, "master");
    if (master.empty()) return {};
    masters.insert(master);
  }
  return masters;
}

std::set<std::string> sessionModes(const PluginCatalog& catalog) {
  std::set<std::string> modes;
  for (const CatalogEntry& entry : catalog.entries())
    if (entry.loaded && entry.descriptor.config.count("master") != 0)
      modes.insert(configText(entry, "deploy_mode") == "cluster" ? "cluster" : "client");
  return modes;
}

DefaultFileSystem::Options fileOptions(const Settings& settings, const PluginCatalog& catalog,
                                       const Policy::Options& policy) {
  DefaultFileSystem::Options options;
  options.keys = policy.paths.keys;
  options.batchMaster = defaultMaster(sparkHome(settings));
  for (const CatalogEntry& entry : catalog.entries()) {
    if (!entry.loaded || entry.descriptor.config.count("master") == 0) continue;
    options.sessionMaster = configText(entry, "master");
    if (options.sessionMaster.empty())
      options.sessionMaster = defaultMaster(configText(entry, "spark_home"));
  }
  if (options.sessionMaster.empty()) options.sessionMaster = options.batchMaster;
  try {
    const std::string folder = hadoopConf();
    if (!folder.empty()) options.uri = defaultFileSystemOf(folder);
  } catch (const std::runtime_error& error) {
    throw SettingsError(std::string("Hadoop's configuration: ") + error.what());
  }
  return options;
}

}  // namespace

Policy::Options policyOptions(const Settings& settings, const PluginCatalog& catalog,
                              const std::string& data) {
  Policy::Options options;
  ConfRules::Options conf;
  conf.forced = confSetting(settings, "policy.conf.forced");
  conf.defaults = confSetting(settings, "policy.conf.default");
  conf.denied = patterns(settings, "policy.conf.denied");
  auto allowed = patterns(settings, "policy.conf.allowed");
  if (!allowed.empty()) conf.allowed = std::move(allowed);
  options.batchConf = conf;
  options.sessionConf = std::move(conf);
  const std::set<std::string> masters = sessionMasters(catalog);
  if (!masters.empty()) {
    options.sessionConf.fixed["spark.master"] = masters;
    options.sessionConf.fixed["spark.submit.deployMode"] = sessionModes(catalog);
  }
  if (masters.size() == 1) options.sessionMaster = *masters.begin();
  options.batchMaster = settings.text("spark.master");
  if (!options.batchMaster.empty()) options.batchConf.fixed["spark.master"] = {options.batchMaster};
  if (!settings.text("spark.deploy_mode").empty())
    options.batchConf.fixed["spark.submit.deployMode"] = {settings.text("spark.deploy_mode")};

  options.paths = pathOptions(settings, data);
  options.files = fileOptions(settings, catalog, options);
  options.limits.sessions = settings.number("policy.limit.sessions");
  options.limits.batches = settings.number("policy.limit.batches");
  options.limits.memory = static_cast<std::int64_t>(settings.size("policy.limit.memory"));
  options.limits.cores = settings.number("policy.limit.cores");
  try {
    options.templates = Templates::load(settings.text("policy.templates_dir"));
  } catch (const TemplateError& error) {
    throw SettingsError(error.what());
  }
  return options;
}

}  // namespace hearth::host
