#include "policy/UsageLedger.h"

#include <algorithm>

#include "policy/PolicyRefusal.h"

namespace hearth::host {

namespace {

// Sums of some thousands of these do not overflow.
constexpr std::int64_t mostMemory = std::int64_t{1} << 50;
constexpr std::int64_t mostCores = std::int64_t{1} << 40;

// A sum that cannot overflow: one side is subtracted from the limit.
bool passes(std::int64_t used, std::int64_t asked, std::int64_t limit) {
  return limit > 0 && asked > limit - used;
}

void checkCount(const char* rule, const char* what, std::int64_t used, std::int64_t limit) {
  if (!passes(used, 1, limit)) return;
  throw PolicyRefusal(PolicyRefusal::Cause::limit, rule,
                      "you have " + std::to_string(used) + " " + what + " of at most " +
                          std::to_string(limit) + ": end one, or try again when one has ended");
}

std::string megabytes(std::int64_t bytes) {
  return std::to_string(bytes >> 20) + "m";
}

}  // namespace

// Counted from its making to its end.
class UsageLedger::Part {
 public:
  Part(std::shared_ptr<Users> users, std::string user, Resource resource, const SparkAsk& ask)
      : users_(std::move(users)),
        user_(std::move(user)),
        session_(resource == Resource::session),
        memory_(std::min(ask.memory, mostMemory)),
        cores_(std::min(ask.cores, mostCores)) {}
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  ~Part() {
    const std::lock_guard<std::mutex> lock(users_->mutex);
    if (!counted_) return;
    const auto found = users_->usage.find(user_);
    add(found->second, -1);
    if (found->second.sessions == 0 && found->second.batches == 0) users_->usage.erase(found);
  }

  /// Under the users' lock. Once.
  void count() {
    add(users_->usage[user_], 1);
    counted_ = true;
  }

 private:
  void add(Usage& usage, std::int64_t sign) const {
    (session_ ? usage.sessions : usage.batches) += sign;
    usage.memory += sign * memory_;
    usage.cores += sign * cores_;
  }

  const std::shared_ptr<Users> users_;
  const std::string user_;
  const bool session_;
  const std::int64_t memory_, cores_;
  bool counted_ = false;
};

UsageLedger::UsageLedger(Limits limits) : users_(std::make_shared<Users>()), limits_(limits) {}

void UsageLedger::setLimits(Limits limits) {
  const std::lock_guard<std::mutex> lock(users_->mutex);
  limits_ = limits;
}

UsageLedger::Lease UsageLedger::take(const std::string& user, Resource resource,
                                     const SparkAsk& ask) {
  Lease lease;
  const auto part = std::make_shared<Part>(users_, user, resource, ask);
  const std::lock_guard<std::mutex> lock(users_->mutex);
  const auto found = users_->usage.find(user);
  check(found == users_->usage.end() ? Usage{} : found->second, resource, ask);
  part->count();
  lease.held_ = part;
  return lease;
}

UsageLedger::Lease UsageLedger::occupy(const std::string& user, Resource resource,
                                       const SparkAsk& ask) {
  Lease lease;
  const auto part = std::make_shared<Part>(users_, user, resource, ask);
  const std::lock_guard<std::mutex> lock(users_->mutex);
  part->count();
  lease.held_ = part;
  return lease;
}

void UsageLedger::check(const Usage& usage, Resource resource, const SparkAsk& ask) const {
  if (resource == Resource::session)
    checkCount("policy.limit.sessions", "sessions", usage.sessions, limits_.sessions);
  else
    checkCount("policy.limit.batches", "batches", usage.batches, limits_.batches);
  if (passes(usage.memory, ask.memory, limits_.memory))
    throw PolicyRefusal("policy.limit.memory",
                        megabytes(ask.memory) + " are asked for (" + ask.text + "), you have " +
                            megabytes(usage.memory) + " of at most " + megabytes(limits_.memory));
  if (passes(usage.cores, ask.cores, limits_.cores))
    throw PolicyRefusal("policy.limit.cores", std::to_string(ask.cores) + " cores are asked for (" +
                                                  ask.text + "), you have " +
                                                  std::to_string(usage.cores) + " of at most " +
                                                  std::to_string(limits_.cores));
}

}  // namespace hearth::host
