// A few threads that serve one Asio event loop.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace hearth::host {

/// Owns an io_context and its threads. Everything that waits in the host waits in one of these; work
/// posted to it must not block. An exception that leaves a handler is logged and the loop goes on.
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
  /// Drops what has not run and joins the threads. Not from a handler.
  void stop();

 private:
  void run(unsigned index);

  std::string name_;
  Context context_;
  boost::asio::executor_work_guard<Context::executor_type> work_;
  std::vector<std::thread> threads_;
};

}  // namespace hearth::host
