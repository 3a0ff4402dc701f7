// So many of something in a while, and no more.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace hearth::host {

/// `burst` at once, `perSecond` on the long run. Thread-safe.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  RateLimit(double burst, double perSecond) : burst_(burst), perSecond_(perSecond), left_(burst) {}

  /// Whether one more may pass. Where it may, `missed` is how many could not since the last.
  bool pass(std::uint64_t& missed, Clock::time_point now = Clock::now()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const double since = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    left_ = std::min(burst_, left_ + since * perSecond_);
    if (left_ < 1) {
      ++missed_;
      return false;
    }
    left_ -= 1;
    missed = missed_;
    missed_ = 0;
    return true;
  }

 private:
  const double burst_, perSecond_;
  std::mutex mutex_;
  double left_;
  std::uint64_t missed_ = 0;
  Clock::time_point last_ = Clock::now();
};

}  // namespace hearth::host
