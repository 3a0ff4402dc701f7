// The host's end of one session's link, apart from the connection of the moment: numbering, what is
// unacknowledged, what has arrived, and the events.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "link/Frame.h"
#include "link/LinkServer.h"
#include "support/Gate.h"

namespace hearth::host {

/// Thread-safe. Shared by the Link in the session's hands and the connection, if there is one.
class LinkCore : public std::enable_shared_from_this<LinkCore> {
 public:
  /// The connection as the core sees it. Calls come from any thread, also under the core's mutex,
  /// and return at once.
  class Wire {
   public:
    virtual ~Wire() = default;
    virtual void wake() = 0;        ///< frames wait: fetch them by nextBatch()
    virtual void wakeForAck() = 0;  ///< an ACK is due: fetch it soon
    virtual void readOn() = 0;      ///< after Taken::full: there is room again
    virtual void hangUp() = 0;
  };

  /// `takenUp`: the driver may be one of a former host; both numberings start where it stands, and
  /// it is kept out until admit().
  LinkCore(std::string secret, EventLoop::Strand strand, Link::Events events, bool takenUp);

  const std::string& secret() const { return secret_; }

  bool send(Frame frame);
  void received(std::uint64_t sequence);
  bool connected() const;
  void admit();
  /// Ends the connection; when it returns, no event runs or will (but for the one on whose stack it
  /// was called).
  void close();

  struct Attached {
    std::string refusal;         ///< why not; empty when attached
    bool later = false;          ///< not yet: to come again
    std::uint64_t received = 0;  ///< for WELCOME
  };
  /// Makes `wire` the connection, instead of one there may be.
  Attached attach(const std::shared_ptr<Wire>& wire, std::uint64_t driverReceived);
  void detach(const Wire* wire);

  enum class Taken { more, full, broken };  ///< read on; wait for readOn(); hang up
  /// A frame of the driver on channel 1 or up.
  Taken take(const Wire* wire, Frame frame);
  /// An ACK of the driver; false where it names a frame that was never sent.
  bool acknowledged(const Wire* wire, std::uint64_t sequence);

  /// What to write next: headers[i] before frames[i]->payload, no payload where null.
  struct Batch {
    std::vector<std::array<unsigned char, frameHeaderBytes>> headers;
    std::vector<std::shared_ptr<const Frame>> frames;
  };
  Batch nextBatch(const Wire* wire);

 private:
  void post(Link::Event event);
  void post(Frame frame);
  void delivered(std::size_t bytes);
  /// Counts a frame as delivered however its event ends.
  struct Delivered {
    LinkCore& core;
    std::size_t bytes;
    ~Delivered() { core.delivered(bytes); }
  };

  const std::string secret_;
  const std::shared_ptr<Gate<Link::Events>> gate_;

  mutable std::mutex mutex_;
  bool closed_ = false;
  bool admits_;
  std::weak_ptr<Wire> wire_;
  const Wire* current_ = nullptr;
  bool wasUp_ = false;
  bool adoptNumbers_;   ///< taken up and no driver seen yet: outgoing numbers follow its HELLO
  bool adoptIncoming_;  ///< taken up and no frame seen yet: the first one sets the count

  // Outgoing. The frame at outbox_[i] has the number first_ + i.
  std::deque<std::shared_ptr<Frame>> outbox_;
  std::uint64_t first_ = 1;
  std::uint64_t next_ = 1;  ///< number of the next frame for the wire
  std::uint64_t sent_ = 0;  ///< highest number ever given to a wire
  std::size_t pendingBytes_ = 0;

  // Incoming.
  std::uint64_t received_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t ackSent_ = 0;  ///< on this wire
  std::size_t undelivered_ = 0;
  bool held_ = false;  ///< the wire waits for readOn()
};

}  // namespace hearth::host
