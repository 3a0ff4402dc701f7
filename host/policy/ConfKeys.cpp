#include "policy/ConfKeys.h"

#include <algorithm>

#include "policy/PolicyRefusal.h"

namespace hearth::host {

namespace {

// The newest name first. Spark reads all of them.
const std::vector<std::vector<std::string>> names = {
    {"spark.kerberos.keytab", "spark.yarn.keytab"},
    {"spark.kerberos.principal", "spark.yarn.principal"},
    {"spark.kerberos.relogin.period", "spark.yarn.kerberos.relogin.period"},
    {"spark.kerberos.access.hadoopFileSystems", "spark.yarn.access.hadoopFileSystems",
     "spark.yarn.access.namenodes"},
    {"spark.yarn.jars", "spark.yarn.jar"},
    {"spark.driver.memoryOverhead", "spark.yarn.driver.memoryOverhead"},
    {"spark.executor.memoryOverhead", "spark.yarn.executor.memoryOverhead"},
    {"spark.executor.userClassPathFirst", "spark.files.userClassPathFirst"},
};

const std::vector<std::string>* namesOf(const std::string& key) {
  for (const auto& all : names)
    if (std::find(all.begin(), all.end(), key) != all.end()) return &all;
  return nullptr;
}

bool matchesName(const std::string& pattern, const std::string& name) {
  if (!pattern.empty() && pattern.back() == '*')
    return name.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
  return pattern == name;
}

bool isBlank(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
}

}  // namespace

std::string trimmed(std::string_view text) {
  while (!text.empty() && isBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::vector<std::string> commaList(std::string_view text) {
  std::vector<std::string> items;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    std::string item = trimmed(text.substr(at, end - at));
    if (!item.empty()) items.push_back(std::move(item));
    at = end + 1;
  }
  return items;
}

std::string canonicalKey(const std::string& key) {
  const auto* all = namesOf(key);
  return all ? all->front() : key;
}

std::vector<std::string> namesOfKey(const std::string& key) {
  const auto* all = namesOf(key);
  return all ? *all : std::vector<std::string>{key};
}

bool matchesKey(const std::string& pattern, const std::string& key) {
  const auto* all = namesOf(key);
  if (!all) return matchesName(pattern, key);
  return std::any_of(all->begin(), all->end(),
                     [&](const std::string& name) { return matchesName(pattern, name); });
}

std::map<std::string, std::string> normalisedConf(const std::map<std::string, std::string>& conf) {
  std::map<std::string, std::string> normal;
  for (const auto& [given, value] : conf) {
    const std::string key = trimmed(given);
    // Others are nobody's: they have no effect.
    if (key.rfind("spark.", 0) == 0 && std::any_of(key.begin(), key.end(), isBlank))
      throw PolicyRefusal("policy.conf", "the key '" + key.substr(0, 200) +
                                             "' has a blank or control character in it");
    const auto [entry, added] = normal.emplace(key, value);
    if (!added && entry->second != value)
      throw PolicyRefusal("policy.conf", key.substr(0, 200) + " is given twice, with two values");
  }
  return normal;
}

}  // namespace hearth::host
