// One door for drivers, and the connections that came through it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "link/LinkConnection.h"
#include "link/LinkRegistry.h"
#include "link/LinkStream.h"

namespace hearth::host {

/// Accepts connections and bounds those in their handshake: where there are too many, one that is
/// older than a moment gives way to the next, so that peers who dawdle cannot keep drivers out.
/// Thread-safe.
class LinkListener final : public LinkConnection::Owner,
                           public std::enable_shared_from_this<LinkListener> {
 public:
  LinkListener(EventLoop& loop, std::unique_ptr<LinkDoor> door,
               std::shared_ptr<LinkRegistry> registry, std::chrono::milliseconds handshakeTime);

  void start();
  void stop();  ///< closes the door and all connections
  std::string endpoint() const { return endpoint_; }

  // LinkConnection::Owner
  std::shared_ptr<LinkCore> find(const std::string& session) override;
  bool leaving() const override { return registry_->leaving(); }
  void settled(LinkConnection* connection) override;
  void ended(LinkConnection* connection) override;

 private:
  using Clock = std::chrono::steady_clock;
  void acceptNext();
  void accepted(const boost::system::error_code& error, std::unique_ptr<LinkStream> stream,
                const EventLoop::Strand& strand);
  void acceptLater(Clock::duration pause);
  bool makeRoom(std::shared_ptr<LinkConnection>& evicted);

  EventLoop& loop_;
  const std::shared_ptr<LinkRegistry> registry_;
  const std::chrono::milliseconds handshakeTime_;
  const std::string endpoint_;

  std::mutex mutex_;
  const std::unique_ptr<LinkDoor> door_;
  boost::asio::steady_timer pause_;
  bool accepting_ = false;
  bool stopped_ = false;
  std::vector<std::pair<LinkConnection*, Clock::time_point>> unsettled_;  ///< the oldest first
  std::unordered_map<LinkConnection*, std::shared_ptr<LinkConnection>> connections_;
};

}  // namespace hearth::host
