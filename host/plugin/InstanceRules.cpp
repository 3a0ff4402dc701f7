#include "plugin/InstanceRules.h"

#include <boost/json/serialize.hpp>
#include <vector>

#include "policy/ConfKeys.h"
#include "policy/Templates.h"
#include "support/JsonBody.h"
#include "support/Time.h"

namespace hearth::host {
namespace {

namespace json = boost::json;

std::string objectText(const json::object& manifest, const char* key) {
  const json::value* const value = manifest.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_object())
    throw JsonFieldError("manifest key \"" + std::string(key) + "\" is not an object");
  return json::serialize(*value);
}

void readDefaults(InstanceRules& rules) {
  const JsonBody body(rules.defaultsJson);
  std::vector<std::string> known = template_fields::names();
  for (const char* own : {"conf", "heartbeatTimeoutInSecond", "ttl", "idleTimeout"})
    known.emplace_back(own);
  body.allowOnly(known);
  template_fields::read(body, rules.defaults);
  rules.defaults.conf = normalisedConf(body.textMap("conf"));
  rules.heartbeatTimeoutInSecond = body.count("heartbeatTimeoutInSecond");
  rules.ttl = body.text("ttl");
  rules.idleTimeout = body.text("idleTimeout");
  for (const std::string& time : {rules.ttl, rules.idleTimeout})
    if (!time.empty() && !parseDuration(time))
      throw JsonFieldError("'" + time + "' is not a time such as 30m");
}

void readLimits(InstanceRules& rules) {
  const JsonBody body(rules.limitsJson);
  body.allowOnly({"sessions", "sessions_per_user"});
  rules.sessions = body.count("sessions");
  rules.sessionsPerUser = body.count("sessions_per_user");
}

template <typename Read>
void within(const char* key, Read read) {
  try {
    read();
  } catch (const std::runtime_error& error) {
    throw JsonFieldError("manifest key \"" + std::string(key) + "\": " + error.what());
  }
}

}  // namespace

InstanceRules InstanceRules::parse(const json::object& manifest) {
  InstanceRules rules;
  rules.defaultsJson = objectText(manifest, "defaults");
  rules.limitsJson = objectText(manifest, "limits");
  if (!rules.defaultsJson.empty()) within("defaults", [&] { readDefaults(rules); });
  if (!rules.limitsJson.empty()) within("limits", [&] { readLimits(rules); });
  return rules;
}

// Counted from its making to its end.
class InstanceLedger::Part {
 public:
  /// Under the lock of the counts.
  Part(std::shared_ptr<Counts> counts, Key key) : counts_(std::move(counts)), key_(std::move(key)) {
    ++counts_->all[key_.first];
    ++counts_->ofUser[key_];
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() {
    const std::lock_guard<std::mutex> lock(counts_->mutex);
    lower(counts_->all, key_.first);
    lower(counts_->ofUser, key_);
  }

 private:
  template <typename Map>
  static void lower(Map& counts, const typename Map::key_type& key) {
    const auto found = counts.find(key);
    if (--found->second == 0) counts.erase(found);
  }

  const std::shared_ptr<Counts> counts_;
  const Key key_;
};

InstanceLedger::Lease InstanceLedger::take(const std::string& instance, const std::string& user,
                                           const InstanceRules& rules) {
  const std::lock_guard<std::mutex> lock(counts_->mutex);
  const auto check = [&](const auto& counts, const auto& key, std::int64_t limit, const char* who,
                         const char* rule) {
    const auto found = counts.find(key);
    const std::int64_t has = found == counts.end() ? 0 : found->second;
    if (limit > 0 && has >= limit)
      throw InstanceLimit("limits." + std::string(rule) + " of plugin " + instance + ": " + who +
                          std::to_string(has) + " sessions of at most " + std::to_string(limit) +
                          ": end one, or try again when one has ended");
  };
  check(counts_->all, instance, rules.sessions, "there are ", "sessions");
  check(counts_->ofUser, Key(instance, user), rules.sessionsPerUser, "you have ",
        "sessions_per_user");
  return std::make_shared<Part>(counts_, Key(instance, user));
}

InstanceLedger::Lease InstanceLedger::occupy(const std::string& instance, const std::string& user) {
  const std::lock_guard<std::mutex> lock(counts_->mutex);
  return std::make_shared<Part>(counts_, Key(instance, user));
}

}  // namespace hearth::host
