#include "link/LinkListener.h"

#include <algorithm>

#include "support/Log.h"

namespace hearth::host {

namespace {

using Error = boost::system::error_code;

/// Connections in their handshake at once; further ones wait in the socket's backlog.
constexpr std::size_t maxUnsettled = 64;
/// For so long nobody gives way: a driver on a busy machine needs some time for its handshake.
constexpr std::chrono::milliseconds ownTime{1000};
/// Pause after an accept() that failed, mostly for want of descriptors.
constexpr std::chrono::milliseconds acceptPause{100};

}  // namespace

LinkListener::LinkListener(EventLoop& loop, std::unique_ptr<LinkDoor> door,
                           std::shared_ptr<LinkRegistry> registry,
                           std::chrono::milliseconds handshakeTime)
    : loop_(loop),
      registry_(std::move(registry)),
      handshakeTime_(handshakeTime),
      endpoint_(door->endpoint()),
      door_(std::move(door)),
      pause_(loop.context()) {}

void LinkListener::start() {
  acceptNext();
}

void LinkListener::acceptNext() {
  std::shared_ptr<LinkConnection> evicted;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_ || accepting_ || !makeRoom(evicted)) return;
    accepting_ = true;
    const EventLoop::Strand strand = loop_.strand();
    door_->accept(strand, [self = shared_from_this(), strand](const Error& error,
                                                              std::unique_ptr<LinkStream> stream) {
      self->accepted(error, std::move(stream), strand);
    });
  }
  if (evicted) evicted->hangUp();
}

// Under the mutex.
bool LinkListener::makeRoom(std::shared_ptr<LinkConnection>& evicted) {
  if (unsettled_.size() < maxUnsettled) return true;
  const Clock::duration age = Clock::now() - unsettled_.front().second;
  if (age < ownTime) {
    acceptLater(ownTime - age);
    return false;
  }
  const auto found = connections_.find(unsettled_.front().first);
  if (found != connections_.end()) evicted = found->second;
  unsettled_.erase(unsettled_.begin());
  return true;
}

// Under the mutex.
void LinkListener::acceptLater(Clock::duration pause) {
  pause_.expires_after(pause);
  pause_.async_wait([self = shared_from_this()](const Error& error) {
    if (!error) self->acceptNext();
  });
}

void LinkListener::accepted(const Error& error, std::unique_ptr<LinkStream> stream,
                            const EventLoop::Strand& strand) {
  std::shared_ptr<LinkConnection> connection;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    accepting_ = false;
    if (stopped_) return;
    if (error) {
      log().warn("cannot accept a driver's connection: {}", error.message());
      return acceptLater(acceptPause);
    }
    if (stream) {
      connection = std::make_shared<LinkConnection>(std::move(stream), strand, weak_from_this());
      connections_[connection.get()] = connection;
      unsettled_.emplace_back(connection.get(), Clock::now());
    }
  }
  if (connection) connection->start(handshakeTime_);
  acceptNext();
}

void LinkListener::stop() {
  std::vector<std::shared_ptr<LinkConnection>> open;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    door_->close();
    pause_.cancel();
    for (const auto& [key, connection] : connections_) open.push_back(connection);
  }
  for (const std::shared_ptr<LinkConnection>& connection : open) connection->hangUp();
}

std::shared_ptr<LinkCore> LinkListener::find(const std::string& session) {
  return registry_->find(session);
}

void LinkListener::settled(LinkConnection* connection) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found =
        std::find_if(unsettled_.begin(), unsettled_.end(),
                     [connection](const auto& entry) { return entry.first == connection; });
    if (found != unsettled_.end()) unsettled_.erase(found);
  }
  acceptNext();
}

void LinkListener::ended(LinkConnection* connection) {
  std::shared_ptr<LinkConnection> last;  // released after the mutex
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  last = std::move(found->second);
  connections_.erase(found);
}

}  // namespace hearth::host
