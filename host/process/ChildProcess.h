// A running child: its pipes, its signals, its end.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "process/Fd.h"
#include "process/LineSplitter.h"
#include "process/Process.h"
#include "support/Gate.h"

namespace hearth::host {

/// Watches one child until it is reaped, whether or not anybody still holds its Process.
class ChildProcess : public std::enable_shared_from_this<ChildProcess> {
 public:
  /// The host's ends of the child's pipes; none of them unless in lines mode.
  struct Pipes {
    Fd in;
    Fd out;
    Fd err;
  };

  ChildProcess(EventLoop& loop, pid_t pid, Fd pidfd, Pipes pipes, EventLoop::Strand strand,
               Process::Events events);

  void start();
  pid_t pid() const { return pid_; }
  bool write(std::string bytes);
  bool signal(int signo);
  /// No event afterwards; the child's stdin ends once what was written is taken, its output is read
  /// and dropped, its end is waited for.
  void forget();

 private:
  using Descriptor = boost::asio::posix::stream_descriptor;

  struct Stream {
    Stream(EventLoop::Context& context, int stream) : descriptor(context), number(stream) {}
    Descriptor descriptor;
    LineSplitter splitter;
    const int number;
  };

  // All on strand_.
  void awaitOutput(Stream& stream);
  void readOutput(Stream& stream);
  bool readSome(Stream& stream);
  void tell(const Stream& stream, std::vector<TextLine> lines);
  void endStream(Stream& stream);
  void awaitEnd();
  void reap();
  void finishIfDone();
  void finish();
  void pumpInput();
  void closeInput();
  void delivered(std::size_t bytes);

  const pid_t pid_;
  const EventLoop::Strand strand_;
  const std::shared_ptr<Gate<Process::Events>> gate_;
  Descriptor pidfd_;
  Descriptor in_;
  Stream out_;
  Stream err_;
  boost::asio::steady_timer grace_;
  std::array<char, 16 * 1024> buffer_;
  std::size_t undelivered_ = 0;  ///< bytes of lines that wait for their event
  bool held_ = false;            ///< not reading, for too many of them
  bool ended_ = false;           ///< the child has; status and signo tell how
  bool finished_ = false;
  bool writing_ = false;
  bool forgotten_ = false;
  int status_ = 0;
  int signo_ = 0;

  std::mutex mutex_;
  bool reaped_ = false;               ///< from here on the pid may be another's
  std::atomic<bool> telling_{false};  // its end
  bool inputOpen_;
  std::deque<std::string> input_;
  std::size_t inputBytes_ = 0;
};

}  // namespace hearth::host
