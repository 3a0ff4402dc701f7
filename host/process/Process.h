// Processes of plugins: the one way to start one, its output, its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "process/LineSplitter.h"
#include "support/EventLoop.h"

namespace hearth::host {

struct SpawnRequest {
  std::vector<std::string> argv;  ///< argv[0] is looked up in PATH when it has no slash
  std::vector<std::string> env;   ///< "NAME=value", over the base environment
  std::string cwd;
  bool lines = false;   ///< pipes for stdin, stdout, stderr; otherwise /dev/null and `logFile`
  std::string logFile;  ///< appended to, mode 0600; stdout and stderr unless `lines`
};

/// Could not be started; the text names the program and the operating system's reason.
class SpawnError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One child process, leader of its own session and process group, with no descriptor of the host.
/// Ends noticed by pidfd; no SIGCHLD handler, no thread each. Methods are thread-safe.
class Process {
 public:
  struct Events {
    std::function<void(int stream, TextLine line)>
        line;  ///< 1 stdout, 2 stderr; without its end
    std::function<void(int status, int signo)>
        exit;  ///< once, after the last line; status -1 if signalled
  };

  /// Forgets the process, does not end it: its stdin ends, its output is read and dropped, its end
  /// is still waited for. No event afterwards: off the strand it waits for one that is running.
  virtual ~Process() = default;
  virtual pid_t pid() const = 0;
  /// Queues bytes for stdin, at most 8 MiB pending: false beyond that or when stdin is closed.
  virtual bool write(std::string bytes) = 0;
  /// Signals the process group, while its exit is told what is left of it; false when it is gone.
  virtual bool signal(int signo) = 0;
};

/// Starts processes on an event loop. Thread-safe.
class Launcher {
 public:
  /// The process must ignore SIGPIPE, or a child that closes its stdin would end it: if SIGPIPE has
  /// its default action, it is set to be ignored here. Children get the default actions of all
  /// signals.
  explicit Launcher(EventLoop& loop);
  /// The base environment of every child: PATH, HOME, USER, LOGNAME, LANG, LC_*, TZ, JAVA_HOME,
  /// TMPDIR and what `passOn` names, as the host has them; nothing else.
  Launcher(EventLoop& loop, std::vector<std::string> passOn);

  /// Throws SpawnError. `strand` is where the events run.
  std::shared_ptr<Process> spawn(const SpawnRequest& request, EventLoop::Strand strand,
                                 Process::Events events);

 private:
  EventLoop& loop_;
  std::vector<std::string> passOn_;
};

}  // namespace hearth::host
