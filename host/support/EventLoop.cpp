#include "support/EventLoop.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

EventLoop::EventLoop(std::string name, unsigned threads)
    : name_(std::move(name)),
      context_(static_cast<int>(threads)),
      work_(boost::asio::make_work_guard(context_)) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
}

EventLoop::~EventLoop() { stop(); }

void EventLoop::post(const Strand& strand, std::function<void()> work) {
  boost::asio::post(strand, std::move(work));
}

void EventLoop::stop() {
  work_.reset();
  context_.stop();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void EventLoop::run(unsigned index) {
  const std::string threadName = (name_ + std::to_string(index)).substr(0, 15);
  pthread_setname_np(pthread_self(), threadName.c_str());
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      log().error("{}: a handler threw: {}", name_, error.what());
    } catch (...) {
      log().error("{}: a handler threw something that is no std::exception", name_);
    }
  }
}

}  // namespace hearth::host
