#include "support/Timer.h"

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <utility>

namespace hearth::host {

struct Timer::Impl {
  explicit Impl(const EventLoop::Strand& strand) : timer(strand) {}
  boost::asio::steady_timer timer;
  std::function<void()> over;
  std::uint64_t round = 0;  // an expiry that was queued before a cancel must not run after it
};

Timer::Timer(const EventLoop::Strand& strand) : impl_(std::make_shared<Impl>(strand)) {}

Timer::Timer(const EventLoop::Strand& strand, Clock::duration time, std::function<void()> over)
    : Timer(strand) {
  start(time, std::move(over));
}

Timer::~Timer() {
  cancel();
}

void Timer::start(Clock::duration time, std::function<void()> over) {
  startAt(Clock::now() + time, std::move(over));
}

void Timer::startAt(Clock::time_point when, std::function<void()> over) {
  impl_->over = std::move(over);
  impl_->timer.expires_at(when);
  impl_->timer.async_wait([impl = impl_, round = ++impl_->round](const boost::system::error_code&) {
    if (round != impl->round || !impl->over) return;
    const std::function<void()> due = std::exchange(impl->over, nullptr);
    due();
  });
}

void afterwards(const EventLoop::Strand& strand, Timer::Clock::duration time,
                std::function<void()> over) {
  // Kept by what waits for it, which goes with the loop.
  const auto timer = std::make_shared<boost::asio::steady_timer>(strand, time);
  timer->async_wait([timer, over = std::move(over)](const boost::system::error_code& error) {
    if (!error) over();
  });
}

void Timer::cancel() {
  ++impl_->round;
  impl_->over = nullptr;
  impl_->timer.cancel();
}

}  // namespace hearth::host
