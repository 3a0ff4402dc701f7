// What has ended goes again: by age, number and size.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "store/StoreUpkeep.h"
#include "support/EventLoop.h"

namespace hearth::host {

struct RetentionOptions {
  // 0 each: without that bound.
  std::chrono::milliseconds age{0};
  std::int64_t sessions = 0;  ///< ended ones
  std::int64_t batches = 0;
  std::uint64_t bytes = 0;  ///< of their folders and of the store together
  std::chrono::milliseconds interval{std::chrono::minutes(1)};  ///< between two looks
};

/// Removes ended sessions and batches beyond the bounds, those first that ended first, with their
/// folders; and, after a start, folders of which the store knows nothing (a kill -9 may leave one).
/// Works on the loop in steps of a few milliseconds, on a timer. The folder goes before the row:
/// what is interrupted is done at the next look.
class Retention {
 public:
  /// `sessions` and `batches` hold one folder each, named by id. Loop and store outlive what runs
  /// of it: the loop is stopped before this goes.
  Retention(EventLoop& loop, StoreUpkeep& store, RetentionOptions options, std::string sessions,
            std::string batches);
  ~Retention();
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  /// The first look is soon.
  void start();

 private:
  class Run;
  std::shared_ptr<Run> run_;
};

}  // namespace hearth::host
