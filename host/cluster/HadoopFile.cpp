#include "cluster/HadoopFile.h"

#include <Poco/AutoPtr.h>
#include <Poco/DOM/DOMParser.h>
#include <Poco/DOM/Document.h>
#include <Poco/DOM/Element.h>
#include <Poco/DOM/NodeList.h>
#include <Poco/Exception.h>
#include <unistd.h>

#include <stdexcept>

namespace hearth::host {

namespace {

constexpr int referencesFollowed = 20;  // as Hadoop

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  return from == std::string::npos ? std::string()
                                   : text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

}  // namespace

HadoopFile::HadoopFile(const std::string& path) {
  try {
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
  } catch (const Poco::Exception& error) {
    throw std::runtime_error(path + ": " + error.displayText());
  }
}

std::string HadoopFile::text(const std::string& key, const std::string& fallback) const {
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

std::string defaultFileSystemOf(const std::string& folder) {
  const std::string path = folder + "/core-site.xml";
  if (::access(path.c_str(), F_OK) != 0) return {};
  const HadoopFile site(path);
  return site.text("fs.defaultFS", site.text("fs.default.name"));
}

}  // namespace hearth::host
