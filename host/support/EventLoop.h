// A few threads that serve one Asio event loop.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace hearth::host {

/// Owns an io_context and its threads. Everything that waits in the host waits in one of these;
/// work posted to it must not block (for what does all the same, lend()). An exception that leaves
/// a handler is logged and the loop goes on.
class EventLoop {
 public:
  using Context = boost::asio::io_context;
  using Strand = boost::asio::strand<Context::executor_type>;

  /// Starts `threads` threads, named `name` for debuggers (15 bytes at most).
  EventLoop(std::string name, unsigned threads);
  ~EventLoop();  ///< stop()
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  Context& context() { return context_; }
  /// Runs handlers one at a time, in the order in which they were posted.
  Strand strand() { return Strand(context_.get_executor()); }
  /// Queues work on a strand. Here, so that Asio's templates are compiled once. [any thread]
  static void post(const Strand& strand, std::function<void()> work);
  /// So many handlers keep their threads for long: as many more threads serve the others, up to
  /// `mostLent`, until a smaller number is said. One thread at a time.
  void lend(std::size_t held);
  static constexpr std::size_t mostLent = 64;
  /// Whether the calling thread is one of some loop's.
  static bool onThread();
  /// Drops what has not run and joins the threads. Not from a handler.
  void stop();
  /// The same, but waits at most `time` for handlers that run: false where one still does; then
  /// nothing that it may use is to be destroyed any more.
  bool stop(std::chrono::milliseconds time);

 private:
  struct Lent;
  void run(const std::atomic<bool>* over);
  void start(const std::shared_ptr<Lent>& lent);
  void joinEnded();

  std::string name_;
  Context context_;
  boost::asio::executor_work_guard<Context::executor_type> work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;  // threads, also those that are to end
  unsigned started_ = 0;
  std::vector<std::thread> threads_;
  std::vector<std::shared_ptr<Lent>> lent_;     // that serve
  std::vector<std::shared_ptr<Lent>> leaving_;  // that end with their next handler
};

}  // namespace hearth::host
