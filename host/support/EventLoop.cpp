#include "support/EventLoop.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

namespace {
thread_local bool ofLoop = false;
}

/// A thread beside those that are always there.
struct EventLoop::Lent {
  std::thread thread;
  std::atomic<bool> over{false};
  std::atomic<bool> ended{false};
};

EventLoop::EventLoop(std::string name, unsigned threads)
    : name_(std::move(name)),
      context_(static_cast<int>(threads)),
      work_(boost::asio::make_work_guard(context_)) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) {
    ++running_;
    threads_.emplace_back([this] { run(nullptr); });
  }
}

EventLoop::~EventLoop() {
  stop();
}

void EventLoop::post(const Strand& strand, std::function<void()> work) {
  boost::asio::post(strand, std::move(work));
}

bool EventLoop::onThread() {
  return ofLoop;
}

void EventLoop::lend(std::size_t held) {
  const std::size_t wanted = std::min(held, mostLent);
  std::unique_lock<std::mutex> lock(mutex_);
  joinEnded();
  if (context_.stopped()) return;
  try {
    // Those that have not left yet are threads too: also where some never do, they are bounded.
    while (lent_.size() < wanted && lent_.size() + leaving_.size() < 2 * mostLent)
      start(lent_.emplace_back(std::make_shared<Lent>()));
  } catch (const std::exception& error) {
    lent_.pop_back();
    log().error("{}: no thread in place of one that is held up: {}", name_, error.what());
  }
  while (lent_.size() > wanted) {
    lent_.back()->over = true;
    leaving_.push_back(std::move(lent_.back()));
    lent_.pop_back();
  }
  const std::size_t asleep = leaving_.size();
  lock.unlock();
  for (std::size_t i = 0; i < asleep; ++i) boost::asio::post(context_, [] {});
}

void EventLoop::start(const std::shared_ptr<Lent>& lent) {
  ++running_;
  try {
    lent->thread = std::thread([this, lent] {
      run(&lent->over);
      lent->ended = true;
    });
  } catch (...) {
    --running_;
    throw;
  }
}

void EventLoop::joinEnded() {
  const auto left = std::partition(leaving_.begin(), leaving_.end(),
                                   [](const auto& lent) { return !lent->ended; });
  for (auto lent = left; lent != leaving_.end(); ++lent) (*lent)->thread.join();
  leaving_.erase(left, leaving_.end());
}

void EventLoop::stop() {
  while (!stop(std::chrono::hours(1))) {
  }
}

bool EventLoop::stop(std::chrono::milliseconds time) {
  work_.reset();
  context_.stop();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!changed_.wait_for(lock, time, [this] { return running_ == 0; })) return false;
  }
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  for (const auto* lent : {&lent_, &leaving_})
    for (const auto& one : *lent)
      if (one->thread.joinable()) one->thread.join();
  return true;
}

void EventLoop::run(const std::atomic<bool>* over) {
  ofLoop = true;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::string threadName = (name_ + std::to_string(started_++)).substr(0, 15);
    pthread_setname_np(pthread_self(), threadName.c_str());
  }
  for (;;) {
    try {
      if (over == nullptr)
        context_.run();
      else
        while (!*over && context_.run_one() != 0) {
        }
      break;
    } catch (const std::exception& error) {
      log().error("{}: a handler threw: {}", name_, error.what());
    } catch (...) {
      log().error("{}: a handler threw something that is no std::exception", name_);
    }
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  --running_;
  changed_.notify_all();
}

}  // namespace hearth::host
