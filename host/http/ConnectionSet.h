// The open connections of a server.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace hearth::host {

class Connection;

/// Keeps connections alive from accept to close. Thread-safe.
class ConnectionSet {
 public:
  void add(std::shared_ptr<Connection> connection);
  /// May drop the last reference; the caller holds one of its own.
  void remove(Connection* connection);
  std::size_t size() const { return size_; }
  std::vector<std::shared_ptr<Connection>> all() const;
  /// Waits until none is left; false where that takes longer.
  bool waitEmpty(std::chrono::milliseconds time) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable removed_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  std::atomic<std::size_t> size_{0};
};

}  // namespace hearth::host
