// Creation of sessions and batches under an idempotency key.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "session/Refusal.h"
#include "store/Store.h"
#include "support/KeyedRequests.h"

namespace hearth::host {

/// `Result` has a flag `replayed` and an optional<Refusal> `refusal`. Thread-safe.
template <typename Result>
class KeyedCreation {
 public:
  using Done = std::function<void(const Result&)>;
  /// What the store has under the key, and the digest of the request that made it.
  struct Earlier {
    std::string digest;
    Result result;
  };

  /// Calls `make` for the first request with this owner and key, and for each where there is no
  /// key; all get the result of the first, also one that an earlier run of the host made, which
  /// `earlier` finds (it may throw Refusal or StoreError). A request that is not the same by its
  /// digest is refused. `done` runs where `make` has its own run, or here.
  void create(const std::string& owner, const std::string& key, const std::string& digest,
              Done done, const std::function<std::optional<Earlier>()>& earlier,
              const std::function<void(Done)>& make) {
    if (key.empty()) return make(std::move(done));
    const auto begun = requests_.begin(owner, key, digest, [done](const Result& first) {
      Result again = first;
      again.replayed = !again.refusal;
      done(again);
    });
    if (begun == Requests::Begun::joined) return;
    if (begun == Requests::Begun::other) return done(another(key));
    const Done finish = [this, owner, key, done = std::move(done)](const Result& result) {
      done(result);
      requests_.finish(owner, key, result);
    };
    try {
      if (std::optional<Earlier> found = earlier()) {
        if (found->digest != digest) return finish(another(key));
        found->result.replayed = true;
        return finish(found->result);
      }
    } catch (const Refusal& refusal) {
      return finish(refused(refusal));
    } catch (const StoreError& error) {
      return finish(refused(Refusal(Refusal::Cause::storage, error.what())));
    }
    make(finish);
  }

 private:
  using Requests = KeyedRequests<Result>;

  static Result refused(const Refusal& refusal) {
    Result result;
    result.refusal = refusal;
    return result;
  }
  static Result another(const std::string& key) {
    return refused(Refusal(Refusal::Cause::mismatch, keyOfAnother(key)));
  }

  Requests requests_;
};

}  // namespace hearth::host
