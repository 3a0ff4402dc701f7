// The host's side of hearth-supervise: its command, and what it leaves in a batch's folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "process/ForeignProcess.h"

namespace hearth::host {

/// How an application has ended.
struct ApplicationEnd {
  int status = -1;          ///< exit status; -1: not by itself
  int signal = 0;           ///< that ended it; 0: none
  std::string failure;      ///< it could not be started, or nothing is known: why
  std::int64_t millis = 0;  ///< when; 0: not known

  bool success() const { return failure.empty() && signal == 0 && status == 0; }
  /// For people: "exit status 1".
  std::string text() const;
};

/// One batch's folder as supervisors use it. Each attempt to start the application is claimed, by
/// its supervisor or, when the host has come back and finds none, by the host: so it is started
/// once at most.
class SupervisedFolder {
 public:
  explicit SupervisedFolder(std::string folder) : folder_(std::move(folder)) {}

  /// The first attempt that nobody has given up.
  int attempt() const;
  /// `command` under the supervisor `program`.
  std::vector<std::string> command(const std::string& program, std::int64_t graceMillis,
                                   const std::vector<std::string>& command) const;
  /// The supervisor of the current attempt; nothing where none has claimed it, and then none will:
  /// the attempt is given up, the next one is current.
  std::optional<ProcessIdentity> claimed();
  /// How the current attempt has ended; nothing where its supervisor has not said so.
  std::optional<ApplicationEnd> end() const;

 private:
  std::string path(const char* what) const;

  std::string folder_;
};

}  // namespace hearth::host
