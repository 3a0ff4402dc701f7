#include "policy/ConfRules.h"

#include <algorithm>

#include "policy/ConfKeys.h"
#include "policy/PolicyRefusal.h"

namespace hearth::host {

namespace {

// The words that Livy's clients know, behind the rule's name.
std::string blacklisted(const std::string& key, const std::string& place) {
  return "Blacklisted configuration values in session config: " + key.substr(0, 200) +
         (place.empty() ? std::string() : " (" + place + ")");
}

}  // namespace

bool ConfRules::isForced(const std::string& key) const {
  return std::any_of(options_.forced.begin(), options_.forced.end(),
                     [&](const auto& entry) { return matchesKey(entry.first, key); });
}

void ConfRules::check(const SparkRequest& request) const {
  for (const auto& [field, key] : request_keys::givenFields(request))
    if (!isForced(key))
      checkKey(key, request_keys::valueOf(request, key).value_or(std::string()), "field " + field);
  for (const auto& [key, value] : request.conf) {
    if (isForced(key)) continue;
    checkKey(key, value, std::string());
    checkAllowed(key);
  }
  // Java's -D sets what conf does, and is read later: what conf may not say it may not either.
  for (const auto& [place, key, value] : request_keys::javaProperties(request)) {
    if (key.empty())
      throw PolicyRefusal("policy.conf", place + ": " + value.substr(0, 200) +
                                             " takes options from a file, which nobody can check");
    if (isForced(key))
      throw PolicyRefusal("policy.conf.forced", place + " may not set " + key.substr(0, 200));
    checkKey(key, value, place);
    checkAllowed(key);
  }
}

void ConfRules::checkKey(const std::string& key, const std::string& value,
                         const std::string& place) const {
  for (const auto& [fixed, values] : options_.fixed)
    if (matchesKey(fixed, key) && values.count(trimmed(value)) == 0)
      throw PolicyRefusal("policy.conf.denied",
                          blacklisted(key, place) + ": the server has chosen it");
  for (const std::string& pattern : options_.denied)
    if (matchesKey(pattern, key))
      throw PolicyRefusal(
          "policy.conf.denied",
          blacklisted(key, place) + (pattern == key ? std::string() : ", by " + pattern));
}

void ConfRules::checkAllowed(const std::string& key) const {
  if (!options_.allowed) return;
  const auto& allowed = *options_.allowed;
  if (std::any_of(allowed.begin(), allowed.end(),
                  [&](const std::string& pattern) { return matchesKey(pattern, key); }))
    return;
  throw PolicyRefusal("policy.conf.allowed", blacklisted(key, {}) + ": it is none of the allowed");
}

void ConfRules::addDefaults(SparkRequest& request) const {
  for (const auto& [key, value] : options_.defaults)
    if (!request_keys::gives(request, key)) request.conf[key] = value;
}

void ConfRules::force(SparkRequest& request) const {
  for (const auto& [key, value] : options_.forced) {
    request_keys::erase(request, key);
    request.conf[key] = value;
  }
}

}  // namespace hearth::host
