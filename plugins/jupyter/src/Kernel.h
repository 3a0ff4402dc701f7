// The client of one running kernel: its five channels.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "Connection.h"
#include "IoThread.h"
#include "KernelEvents.h"
#include "Statement.h"
#include "Wire.h"

namespace hearth::jupyter {

struct KernelTimes {
  std::chrono::milliseconds heartbeat;
  std::size_t messageBytes;  ///< per part of a message; beyond, libzmq drops the connection
};

/// Calls come from any thread and return at once; events come on the I/O thread, until stop().
class Kernel final : public Pollable, public std::enable_shared_from_this<Kernel> {
 public:
  Kernel(IoThread& io, std::shared_ptr<Connection> connection, KernelEvents& events,
         KernelTimes times);
  ~Kernel() override = default;

  /// Connects, whether the kernel listens yet or not; onReady follows.
  void start();
  /// Closes everything; no event afterwards. Not on the I/O thread.
  void stop();
  /// The kernel has ended: takes what it had still sent, ends a statement that runs as lost for
  /// this reason, then calls `then` on the I/O thread.
  void drain(std::string reason, std::function<void()> then);

  void execute(std::uint64_t statement, std::string code);
  /// A statement that an earlier run of the host gave to the kernel: it ends, as one whose result
  /// cannot be had, once the kernel serves requests again. What it publishes until then is told.
  void resume(std::uint64_t statement);
  /// Answered by onReply with {"candidates":[..],"start":n,"end":n}; while a statement runs by
  /// kernels that can do both at once, else with nothing: a question never waits for code.
  void complete(std::uint64_t request, const std::string& code, std::uint64_t cursor);
  /// The same, with {"found":bool,"data":{..}}.
  void inspect(std::uint64_t request, const std::string& code, std::uint64_t cursor, int detail);
  void interruptByMessage();
  void shutdown();

  bool ready() const noexcept { return ready_; }
  bool runs(std::uint64_t statement) const noexcept { return running_ == statement; }
  /// Its code has begun: a signal reaches it.
  bool underWay(std::uint64_t statement) const noexcept { return underWay_ == statement; }
  /// How the statement ends is from now on what an interrupt has caused.
  void noteInterrupt(std::uint64_t statement) noexcept { interrupted_ = statement; }

  // Pollable
  std::vector<zmq::socket_ref> sockets() override;
  void readable(std::size_t index) override;
  std::optional<Clock::time_point> deadline() const override;
  void due(Clock::time_point now) override;

 private:
  enum class Question { complete, inspect };

  void open();
  zmq::socket_t connect(Channel channel, zmq::socket_type type);
  std::string send(Channel channel, std::string_view type, const std::string& content,
                   const std::string& parentHeader = "{}");
  void ask(Question what, std::uint64_t request, std::string_view type, std::string content);
  bool receive(Channel channel);
  void received(Channel channel, const Message& message, const FrameViews& frames);
  void onShell(const Message& message);
  void onControl(const Message& message);
  void answer(const Message& message);
  void becomeReady();
  bool isStranger(const Message& message) const;
  void publishedByResumed(const Message& message);
  void finishResumed();
  void finishIfOver();
  void beat(Clock::time_point now);

  IoThread& io_;
  const std::shared_ptr<Connection> connection_;
  KernelEvents& events_;
  const KernelTimes times_;

  std::atomic<bool> ready_{false};
  std::atomic<std::uint64_t> running_{0}, underWay_{0}, interrupted_{0};

  // The I/O thread's.
  Wire wire_;
  std::vector<zmq::socket_t> sockets_;  // by Channel; empty: not open
  std::string about_;                   // of its kernel_info_reply
  bool heard_ = false;                  // something has come on iopub
  bool controlAnswers_ = false;         // it serves questions on control, beside running code
  std::string controlProbe_, shellProbe_;
  std::optional<Clock::time_point> askAgain_, idleOverdue_;
  std::optional<Statement> statement_;
  std::uint64_t resumed_ = 0;  // instead of one; 0: none
  struct Asked {
    Question what;
    std::uint64_t request;
    Clock::time_point since;
  };
  std::map<std::string, Asked> asked_;  // by message id
  std::optional<Clock::time_point> beatDue_;
  bool beatOpen_ = false, beatMissed_ = false;
  std::uint64_t badMessages_ = 0;
};

}  // namespace hearth::jupyter
