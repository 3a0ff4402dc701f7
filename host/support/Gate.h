// The way of an object's events to whoever uses it, which can be shut for good.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "support/EventLoop.h"

namespace hearth::host {

/// Holds the callbacks of one user, which run on its strand. Shared by the object and by what it
/// has posted, so that a late event finds the gate shut and not freed memory. Thread-safe.
template <typename Events>
class Gate {
 public:
  Gate(EventLoop::Strand strand, Events events)
      : strand_(std::move(strand)), events_(std::make_shared<const Events>(std::move(events))) {}

  const EventLoop::Strand& strand() const { return strand_; }

  /// Calls call(const Events&) unless the gate is shut. From a handler on strand(). The callbacks
  /// outlive the call even where it shuts the gate.
  template <typename Call>
  void run(Call&& call) {
    std::shared_ptr<const Events> events;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!events_) return;
      events = events_;
      running_ = true;
    }
    const Ended ended{*this};
    std::forward<Call>(call)(*events);
  }

  /// When it returns, no callback runs or will, but for the one on whose stack it was called. Off
  /// the strand it waits for one that is running: do not hold what that one might wait for.
  void shut() {
    std::shared_ptr<const Events> dropped;  // what it owns may do anything when it goes: unlocked
    std::unique_lock<std::mutex> lock(mutex_);
    dropped = std::move(events_);
    events_.reset();
    if (!strand_.running_in_this_thread()) idle_.wait(lock, [this] { return !running_; });
    lock.unlock();
  }

 private:
  struct Ended {
    Gate& gate;
    ~Ended() {
      const std::lock_guard<std::mutex> lock(gate.mutex_);
      gate.running_ = false;
      gate.idle_.notify_all();
    }
  };

  const EventLoop::Strand strand_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::shared_ptr<const Events> events_;
  bool running_ = false;
};

}  // namespace hearth::host
