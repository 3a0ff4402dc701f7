// A process that another run of the host has started.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "support/EventLoop.h"

namespace hearth::host {

/// What tells a process from any other, before and after: a pid alone is given again.
struct ProcessIdentity {
  pid_t pid = 0;
  std::string startTime;  ///< field 22 of /proc/PID/stat
  std::string bootId;     ///< /proc/sys/kernel/random/boot_id
};

/// Of a process that is there now; without a start time where it is not.
ProcessIdentity identityOf(pid_t pid);

/// Watches a process that is no child of this one, by pidfd. Thread-safe.
class ForeignProcess {
 public:
  /// Null where that process is gone, also where its pid is another's now. `ended` runs on
  /// `strand`, once.
  static std::shared_ptr<ForeignProcess> open(EventLoop& loop, const ProcessIdentity& identity,
                                              EventLoop::Strand strand,
                                              std::function<void()> ended);

  /// Forgets it; no callback afterwards: off the strand it waits for one that is running.
  virtual ~ForeignProcess() = default;
  /// False when the process is gone.
  virtual bool signal(int signo) = 0;
};

}  // namespace hearth::host
