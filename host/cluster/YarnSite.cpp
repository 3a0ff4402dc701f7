#include "cluster/YarnSite.h"

#include <Poco/AutoPtr.h>
#include <Poco/DOM/DOMParser.h>
#include <Poco/DOM/Document.h>
#include <Poco/DOM/Element.h>
#include <Poco/DOM/NodeList.h>
#include <Poco/Exception.h>

#include <map>
#include <sstream>
#include <stdexcept>

namespace hearth::host {

namespace {

constexpr int referencesFollowed = 20;  // as Hadoop
const std::string prefix = "yarn.resourcemanager.";

/// One of Hadoop's configuration files, with ${references} resolved.
class HadoopFile {
 public:
  explicit HadoopFile(const std::string& path) {
    Poco::XML::DOMParser parser;  // external entities are not read unless asked for
    const Poco::AutoPtr<Poco::XML::Document> document = parser.parse(path);
    const Poco::AutoPtr<Poco::XML::NodeList> properties =
        document->getElementsByTagName("property");
    for (unsigned long i = 0; i < properties->length(); ++i) {
      const auto* const property = static_cast<Poco::XML::Element*>(properties->item(i));
      const Poco::XML::Element* const key = property->getChildElement("name");
      const Poco::XML::Element* const value = property->getChildElement("value");
      if (key && value) values_[trimmed(key->innerText())] = trimmed(value->innerText());
    }
  }

  std::string text(const std::string& key, const std::string& fallback = {}) const {
    const auto found = values_.find(key);
    std::string value = found == values_.end() || found->second.empty() ? fallback : found->second;
    for (int i = 0; i < referencesFollowed; ++i) {
      const std::size_t from = value.find("${");
      const std::size_t to = value.find('}', from);
      if (from == std::string::npos || to == std::string::npos) break;
      const auto known = values_.find(value.substr(from + 2, to - from - 2));
      if (known == values_.end()) break;
      value.replace(from, to - from + 1, known->second);
    }
    return value;
  }

 private:
  static std::string trimmed(const std::string& text) {
    const std::size_t from = text.find_first_not_of(" \t\r\n");
    return from == std::string::npos
               ? std::string()
               : text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
  }

  std::map<std::string, std::string> values_;
};

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
  const std::string path = folder + "/yarn-site.xml";
  std::vector<std::string> found;
  try {
    const HadoopFile site(path);
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
  } catch (const Poco::Exception& error) {
    throw std::runtime_error(path + ": " + error.displayText());
  }
  return found;
}

}  // namespace hearth::host
