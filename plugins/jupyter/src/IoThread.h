// The one thread of a plugin instance: it owns all ZeroMQ sockets, of all its sessions.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>
#include <zmq.hpp>

namespace hearth::jupyter {

using Clock = std::chrono::steady_clock;

/// What has sockets on the thread. Everything is called there.
class Pollable {
 public:
  virtual ~Pollable() = default;
  virtual std::vector<zmq::socket_ref> sockets() = 0;
  /// The socket at `index` of sockets() has something to read. Takes a bounded share of it, so that
  /// a kernel that talks without end does not silence the others.
  virtual void readable(std::size_t index) = 0;
  /// When due() wants to be called, if ever.
  virtual std::optional<Clock::time_point> deadline() const = 0;
  virtual void due(Clock::time_point now) = 0;
};

/// Starts with the first task, ends with the destructor.
class IoThread {
 public:
  using Log = std::function<void(const std::string&)>;
  /// `log` is told what a task or a client throws, which must not end the thread.
  explicit IoThread(Log log) : log_(std::move(log)) {}
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// Runs `task` on the thread, after those posted before. Any thread; never blocks.
  void post(std::function<void()> task);
  /// The same, and waits for its end. Not on the thread itself.
  void call(const std::function<void()>& task);

  // On the thread only. ------------------------------------------------------------------------
  zmq::context_t& context() { return *context_; }
  void add(Pollable& client);
  void remove(Pollable& client);

 private:
  void start();  // with mutex_ held
  void run();
  void runTasks();
  void poll();
  template <typename Body>
  void guarded(Body&& body);

  Log log_;
  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  int wake_ = -1;
  bool stopping_ = false;
  std::optional<zmq::context_t> context_;
  std::vector<Pollable*> clients_;
  std::thread thread_;
};

}  // namespace hearth::jupyter
