// What each user has of the host at the moment.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "policy/SparkAsk.h"
#include "policy/SparkRequest.h"

namespace hearth::host {

/// A user's sessions, batches, and what they ask Spark for. Thread-safe.
class UsageLedger {
 public:
  /// For each user; 0: no limit.
  struct Limits {
    std::int64_t sessions = 0, batches = 0;
    std::int64_t memory = 0, cores = 0;

    bool sizes() const { return memory > 0 || cores > 0; }
  };

  /// One session's or batch's part, given back when it is destroyed, on any thread, also after the
  /// ledger.
  class Lease {
   public:
    Lease() = default;

   private:
    friend class UsageLedger;
    std::shared_ptr<void> held_;
  };

  explicit UsageLedger(Limits limits);

  /// From now on; who has more keeps it.
  void setLimits(Limits limits);
  /// Throws PolicyRefusal where a limit would be passed: of counts with Cause::limit.
  Lease take(const std::string& user, Resource resource, const SparkAsk& ask);
  /// For what is there already, whatever the limits say.
  Lease occupy(const std::string& user, Resource resource, const SparkAsk& ask);

 private:
  struct Usage {
    std::int64_t sessions = 0, batches = 0;
    std::int64_t memory = 0, cores = 0;
  };
  struct Users {
    std::mutex mutex;
    std::map<std::string, Usage> usage;  // of those who have something
  };
  class Part;

  void check(const Usage& usage, Resource resource, const SparkAsk& ask) const;

  const std::shared_ptr<Users> users_;
  Limits limits_;  // under the users' mutex
};

}  // namespace hearth::host
