#include "cluster/YarnSite.h"

#include <sstream>

#include "cluster/HadoopFile.h"

namespace hearth::host {

namespace {

const std::string prefix = "yarn.resourcemanager.";

// `suffix` is empty, or "." and the id of one of several.
std::string addressOf(const HadoopFile& site, bool secure, const std::string& suffix) {
  const std::string named =
      site.text(prefix + (secure ? "webapp.https.address" : "webapp.address") + suffix);
  const std::string scheme = secure ? "https://" : "http://";
  if (!named.empty()) return scheme + named;
  const std::string host = site.text(prefix + "hostname" + suffix);
  return host.empty() ? std::string() : scheme + host + (secure ? ":8090" : ":8088");
}

}  // namespace

std::vector<std::string> resourceManagersOf(const std::string& folder) {
  std::vector<std::string> found;
  const HadoopFile site(folder + "/yarn-site.xml");
  const bool secure = site.text("yarn.http.policy") == "HTTPS_ONLY";
  const auto add = [&](const std::string& suffix) {
    const std::string address = addressOf(site, secure, suffix);
    if (!address.empty()) found.push_back(address);
  };
  if (site.text(prefix + "ha.enabled") == "true") {
    std::istringstream ids(site.text(prefix + "ha.rm-ids"));
    for (std::string id; std::getline(ids, id, ',');) {
      id.erase(0, id.find_first_not_of(" \t\r\n"));
      id.erase(id.find_last_not_of(" \t\r\n") + 1);
      add("." + id);
    }
  }
  if (found.empty()) add("");
  return found;
}

}  // namespace hearth::host
