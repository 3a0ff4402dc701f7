// Clients that wait for something to be over.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "support/EventLoop.h"

namespace hearth::host {

struct Wait {
  std::chrono::milliseconds time;   ///< at most
  std::function<void()> done;       ///< the callback
  std::function<bool()> abandoned;  ///< nobody waits any more: the callback may be left out
};

/// Calls each back when it is woken or its time is over. Used on its strand only.
class Waiters {
 public:
  explicit Waiters(const EventLoop::Strand& strand);
  ~Waiters();  ///< nobody is called
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  void add(Wait wait);
  void wakeAll();

 private:
  struct Waiter;
  struct List;

  EventLoop::Strand strand_;
  std::shared_ptr<List> list_;  // timers hold it weakly
};

}  // namespace hearth::host
