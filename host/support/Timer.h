// A time-out on a strand.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "support/EventLoop.h"

namespace hearth::host {

/// Runs a function once, on a strand, when its time has come; destroying the timer, or starting it
/// again, takes that back for good. Used on its strand only. Keeps Asio's templates out of the
/// files that need no more than this: they were most of the host's compile time.
class Timer {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Timer(const EventLoop::Strand& strand);
  Timer(const EventLoop::Strand& strand, Clock::duration time, std::function<void()> over);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(Clock::duration time, std::function<void()> over);
  void startAt(Clock::time_point when, std::function<void()> over);
  void cancel();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Runs `over` on the strand once `time` has passed, for who has nobody to keep a Timer; not at all
/// where the loop ends before. Any thread.
void afterwards(const EventLoop::Strand& strand, Timer::Clock::duration time,
                std::function<void()> over);

}  // namespace hearth::host
