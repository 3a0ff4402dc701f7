#include "app/ClusterSettings.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "policy/ConfKeys.h"
#include "submit/Application.h"

namespace hearth::host {

namespace {

constexpr const char* masterKey = "spark.master";

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : std::string();
}

std::string masterIn(const std::map<std::string, std::string>& conf) {
  const auto found = conf.find(masterKey);
  return found == conf.end() ? std::string() : found->second;
}

std::vector<std::string> namedMasters(const Settings& settings, const PluginCatalog& catalog,
                                      const Policy::Options& policy) {
  std::vector<std::string> masters = {settings.text(masterKey), defaultMaster(sparkHome(settings)),
                                      masterIn(policy.batchConf.forced),
                                      masterIn(policy.batchConf.defaults)};
  for (const CatalogEntry& entry : catalog.entries()) {
    if (!entry.loaded || entry.descriptor.config.count("master") == 0) continue;
    masters.push_back(configText(entry, "master"));
    masters.push_back(defaultMaster(configText(entry, "spark_home")));
  }
  for (const auto& item : policy.templates.all())
    masters.push_back(masterIn(item.second.values.conf));
  masters.erase(std::remove(masters.begin(), masters.end(), std::string()), masters.end());
  return masters;
}

}  // namespace

std::string hadoopConf() {
  const std::string folder = variable("YARN_CONF_DIR");
  return folder.empty() ? variable("HADOOP_CONF_DIR") : folder;
}

std::string sparkHome(const Settings& settings) {
  const std::string home = settings.text("spark.home");
  return home.empty() ? variable("SPARK_HOME") : home;
}

std::string defaultMaster(const std::string& sparkHome) {
  if (sparkHome.empty()) return {};
  return masterIn(
      submit::parseProperties(submit::readDefaults(sparkHome, submit::sparkEnvironment())));
}

std::string configText(const CatalogEntry& entry, const char* key) {
  boost::system::error_code error;
  const auto config = boost::json::parse(entry.configJson, error);
  if (error || !config.is_object()) return {};
  const auto* value = config.get_object().if_contains(key);
  return value && value->is_string() ? std::string(value->get_string().c_str()) : std::string();
}

ClusterOptions clusterOptions(const Settings& settings, const PluginCatalog& catalog,
                              const Policy::Options& policy) {
  ClusterOptions options;
  options.resourceManagers = commaList(settings.text("yarn.resource_managers"));
  options.masterPages = commaList(settings.text("standalone.pages"));
  options.masters = namedMasters(settings, catalog, policy);
  options.yarnUser = settings.text("yarn.user");
  options.times.poll =
      std::max(settings.duration("yarn.poll_time"), std::chrono::milliseconds(100));
  options.times.lookup = settings.duration("yarn.lookup_time");
  options.times.leak = settings.duration("yarn.leak_time");
  options.http.caFile = settings.text("yarn.ca_file");
  options.hadoopConf = hadoopConf();
  return options;
}

}  // namespace hearth::host
