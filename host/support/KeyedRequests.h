// Requests with an idempotency key that are under way.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace hearth::host {

/// Lets one request of each owner and key through; those that come while it is under way get its
/// result. Thread-safe.
template <typename Result>
class KeyedRequests {
 public:
  using Done = std::function<void(const Result&)>;
  enum class Begun {
    first,   ///< the caller's: it calls finish()
    joined,  ///< `done` is called by finish() of the first
    other    ///< the first one's digest is another: it is not the same request
  };

  Begun begin(const std::string& owner, const std::string& key, const std::string& digest,
              Done done) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto [entry, first] = open_.try_emplace({owner, key});
    if (first) entry->second.digest = digest;
    if (entry->second.digest != digest) return Begun::other;
    if (first) return Begun::first;
    entry->second.waiting.push_back(std::move(done));
    return Begun::joined;
  }

  /// The first one's result is durable, or there is none. Calls those that have joined.
  void finish(const std::string& owner, const std::string& key, const Result& result) {
    std::vector<Done> waiting;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto entry = open_.find({owner, key});
      if (entry == open_.end()) return;
      waiting = std::move(entry->second.waiting);
      open_.erase(entry);
    }
    for (const Done& done : waiting) done(result);
  }

 private:
  struct Open {
    std::string digest;
    std::vector<Done> waiting;
  };

  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Open> open_;
};

}  // namespace hearth::host
