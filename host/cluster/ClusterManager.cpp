#include "cluster/ClusterManager.h"

#include <algorithm>
#include <cctype>

namespace hearth::host {

namespace {

// YARN keeps tags in lower case.
bool sameTag(const std::string& one, const std::string& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

}  // namespace

bool SeenApplication::is(const ApplicationKey& key) const {
  if (!key.applicationId.empty() && report.applicationId == key.applicationId) return true;
  return !key.tag.empty() && std::any_of(tags.begin(), tags.end(), [&](const std::string& tag) {
    return sameTag(tag, key.tag);
  });
}

}  // namespace hearth::host
