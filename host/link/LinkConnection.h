// One connection of a driver: the handshake, then frames in and out.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "link/Frame.h"
#include "link/Handshake.h"
#include "link/LinkCore.h"
#include "link/LinkStream.h"

namespace hearth::host {

/// Keeps itself alive by what it waits for; ends when the peer hangs up, breaks a rule or is told
/// to.
class LinkConnection final : public LinkCore::Wire,
                             public std::enable_shared_from_this<LinkConnection> {
 public:
  /// Who accepted it. Called from any thread of the loop.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual std::shared_ptr<LinkCore> find(const std::string& session) = 0;
    virtual bool leaving() const = 0;  ///< a driver whose session is not found is to come again
    virtual void settled(LinkConnection* connection) = 0;  ///< once: its handshake is over
    virtual void ended(LinkConnection* connection) = 0;    ///< once
  };

  /// `stream` runs on `strand`.
  LinkConnection(std::unique_ptr<LinkStream> stream, EventLoop::Strand strand,
                 std::weak_ptr<Owner> owner);

  void start(std::chrono::milliseconds handshakeTime);

  void wake() override;
  void wakeForAck() override;
  void readOn() override;
  void hangUp() override;

 private:
  enum class Phase { hello, proof, live };

  // All on strand_.
  void read();
  void consume();
  bool acceptsHeader(std::uint32_t length) const;
  void handle(Frame frame);
  void handleHello(const Frame& frame);
  void handleProof(const Frame& frame);
  void handleLive(Frame frame);
  void say(FrameType type, std::string payload);
  void refuse(const std::string& reason);
  void refuseUnlessLeaving(const std::string& reason);
  void broken(const char* what);
  void pump();
  void settle();
  void close();

  const std::unique_ptr<LinkStream> stream_;
  EventLoop::Strand strand_;
  std::weak_ptr<Owner> owner_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer ackTimer_;

  Phase phase_ = Phase::hello;
  Hello hello_;
  std::string hostNonce_;
  std::shared_ptr<LinkCore> core_;
  bool settled_ = false;
  bool closed_ = false;
  bool closing_ = false;  ///< hang up when what is queued is written

  std::array<unsigned char, 16 * 1024> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Frame frame_;
  bool inPayload_ = false;
  std::size_t need_ = 0;    ///< length of frame_'s payload
  std::size_t filled_ = 0;  ///< of it read so far
  bool reading_ = false;
  bool held_ = false;

  std::deque<std::string> control_;  ///< frames of the handshake, to be written before all others
  LinkCore::Batch batch_;            ///< being written
  bool writing_ = false;
  std::atomic<bool> woken_{false};
  std::atomic<bool> ackWaits_{false};
};

}  // namespace hearth::host
