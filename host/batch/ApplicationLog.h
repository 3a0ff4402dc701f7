// What an application's own output tells of it, where no cluster does.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace hearth::host {

/// Looks through a growing log for the application's id and its UI. Thread-safe.
class ApplicationLog {
 public:
  explicit ApplicationLog(std::string path) : path_(std::move(path)) {}

  struct Found {
    std::string applicationId;  ///< or the driver's id, on a standalone cluster in cluster mode
    std::string sparkUiUrl;
  };
  /// Reads what has been added since the last time, some megabytes in all: it is said early.
  Found look();
  /// Whether there may be more to find.
  bool open() const;

 private:
  void take(const std::string& line);

  const std::string path_;
  mutable std::mutex mutex_;
  std::int64_t offset_ = 0;
  Found found_;
};

}  // namespace hearth::host
