// What a manifest says of the sessions of its instance: what they get, and how many there may be.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "policy/SparkRequest.h"

namespace hearth::host {

/// Values; any thread.
struct InstanceRules {
  /// What the client leaves out of its create request.
  SparkRequest defaults;
  std::string ttl, idleTimeout;               ///< empty: none
  std::int64_t heartbeatTimeoutInSecond = 0;  ///< 0: none
  /// 0: no limit.
  std::int64_t sessions = 0, sessionsPerUser = 0;
  std::string defaultsJson, limitsJson;  ///< as the manifest has them; empty: not there

  /// Reads a manifest's "defaults" and "limits". Throws JsonFieldError, which names the place.
  static InstanceRules parse(const boost::json::object& manifest);
};

/// An instance has as many sessions as its manifest lets it have; the text says so to a client.
class InstanceLimit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Who has sessions of which instance. By the instance's name: a newer version of a plugin counts
/// with the older one. Thread-safe.
class InstanceLedger {
 public:
  /// Counts for as long as it is held, also after the ledger.
  using Lease = std::shared_ptr<void>;

  /// Throws InstanceLimit.
  Lease take(const std::string& instance, const std::string& user, const InstanceRules& rules);
  /// For a session that is there already.
  Lease occupy(const std::string& instance, const std::string& user);

 private:
  using Key = std::pair<std::string, std::string>;
  struct Counts {
    std::mutex mutex;
    std::map<std::string, std::int64_t> all;
    std::map<Key, std::int64_t> ofUser;
  };
  class Part;

  const std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

}  // namespace hearth::host
