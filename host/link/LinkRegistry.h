// Which sessions drivers may connect for.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace hearth::host {

class LinkCore;

/// Thread-safe. Owns nothing.
class LinkRegistry {
 public:
  /// Throws std::logic_error for a session that has one.
  void enter(const std::string& session, const std::shared_ptr<LinkCore>& core);
  /// The session's entry, if it still is this one.
  void forget(const std::string& session, const LinkCore* core);
  std::shared_ptr<LinkCore> find(const std::string& session) const;
  /// The host goes down and leaves its sessions to the next one: that a session is not there says
  /// nothing any more.
  void leave() { leaving_ = true; }
  bool leaving() const { return leaving_; }

 private:
  std::atomic<bool> leaving_{false};
  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<LinkCore>> cores_;
};

}  // namespace hearth::host
