// How much memory the finished statements of all sessions may take together.
#pragma once

#include <atomic>
#include <cstddef>

namespace hearth::host {

/// Thread-safe.
class CacheBudget {
 public:
  explicit CacheBudget(std::size_t bytes) : bytes_(bytes) {}

  bool isOver() const { return used_.load(std::memory_order_relaxed) > bytes_; }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

  /// One session's part; given back at its end. Of one thread at a time.
  class Share {
   public:
    explicit Share(CacheBudget* budget) : budget_(budget) {}
    ~Share() { set(0); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    std::size_t bytes() const { return held_; }
    void set(std::size_t bytes) {
      if (budget_) budget_->used_ += bytes - held_;  // wraps where it shrinks, as unsigned sums do
      held_ = bytes;
    }
    void add(std::size_t bytes) { set(held_ + bytes); }
    void remove(std::size_t bytes) { set(bytes < held_ ? held_ - bytes : 0); }
    bool budgetIsOver() const { return budget_ && budget_->isOver(); }

   private:
    CacheBudget* const budget_;
    std::size_t held_ = 0;
  };

 private:
  const std::size_t bytes_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace hearth::host
