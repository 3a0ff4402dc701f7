// Tells when files in a folder grow, without looking again and again.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "support/EventLoop.h"

namespace hearth::host {

/// inotify in the event loop: one descriptor for the process, however many folders are watched.
/// Thread-safe.
class FolderWatch {
 public:
  /// `loop` outlives it.
  explicit FolderWatch(EventLoop& loop);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  /// Lets go of the watch when it is let go of.
  using Handle = std::shared_ptr<void>;
  /// Calls `changed` on a thread of the loop whenever a file in `folder` (not in folders in it) is
  /// made or written to, until the handle is let go; one call may still be on its way then. Must
  /// not block. Returns null, and logs why, where the system refuses.
  Handle watch(const std::string& folder, std::function<void()> changed);

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace hearth::host
