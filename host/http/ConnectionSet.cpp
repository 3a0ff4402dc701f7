#include "http/ConnectionSet.h"

#include <utility>

#include "http/Connection.h"

namespace hearth::host {

void ConnectionSet::add(std::shared_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  Connection* const key = connection.get();
  connections_.emplace(key, std::move(connection));
  size_ = connections_.size();
}

void ConnectionSet::remove(Connection* connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  size_ = connections_.size();
  if (connections_.empty()) removed_.notify_all();
}

std::vector<std::shared_ptr<Connection>> ConnectionSet::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Connection>> list;
  list.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) list.push_back(connection);
  return list;
}

bool ConnectionSet::waitEmpty(std::chrono::milliseconds time) const {
  std::unique_lock lock(mutex_);
  return removed_.wait_for(lock, time, [this] { return connections_.empty(); });
}

}  // namespace hearth::host
