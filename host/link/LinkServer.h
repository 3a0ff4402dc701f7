// Drivers dial in here: one authenticated link per session, over a Unix socket or TLS.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "link/Frame.h"
#include "link/TlsDoor.h"
#include "support/EventLoop.h"

namespace hearth::host {

/// The host's end of one session's link. Survives its connections: frames sent while no driver is
/// connected are kept and sent when it comes. Methods are thread-safe and never block.
class Link {
 public:
  enum class Event { up, down, back };
  struct Events {
    std::function<void(Event)> event;
    /// A frame on channel 1 or up, once each, in order. `received(sequence)` is to be called when
    /// what came of it is durable; only then is it acknowledged.
    std::function<void(Frame)> frame;
  };

  /// Closes the connection and forgets the session. No event afterwards: off the strand it waits
  /// for one that is running. Not after the end of the EventLoop.
  virtual ~Link() = default;
  /// Numbers and sends the frame. False when more than 64 MiB wait unacknowledged.
  virtual bool send(Frame frame) = 0;
  /// All driver frames up to this sequence are durable: lets the driver forget them. ACKs are
  /// coalesced.
  virtual void received(std::uint64_t sequence) = 0;
  virtual bool connected() const = 0;
  /// Of one that was taken up: from now on its driver is let in. Until then it is told to come
  /// again, so that nothing arrives before there is somebody for it.
  virtual void admit() = 0;
  /// Path of the link file that was written for the driver.
  virtual const std::string& linkFile() const = 0;
};

/// From where a driver dials.
enum class Reach {
  local,   ///< this machine: the Unix socket
  network  ///< anywhere: TLS
};

struct LinkOptions {
  std::string socket;  ///< path of the Unix socket to listen on, in a folder of mode 0700
  /// Where the TLS listener is opened when a link first needs it. Its key is kept beside the
  /// socket, as link.pem, and the port too, as link.port: after a restart drivers find it again.
  TlsDoorOptions tls;
  bool openTls = false;  ///< at once, as also where an earlier run has had it
  std::chrono::milliseconds handshakeTime{10000};
  std::chrono::seconds orphanTime{600};
};

/// Listens on a Unix socket (mode 0600), and on a TCP port where links need it, and hands
/// authenticated connections to their links. Unauthenticated peers can neither take memory (their
/// number is bounded, frames above 4 KiB end the handshake) nor time.
class LinkServer {
 public:
  LinkServer(EventLoop& loop, LinkOptions options);  ///< throws where it cannot listen
  /// Lets drivers in, who are refused for good where their session has no link: after resume() of
  /// all that an earlier run has left.
  void start();
  /// The host goes down, and its sessions go on: a driver that comes from now on to one that was
  /// let go of is not refused, which is final, but hung up on, so that it comes to the next host.
  void leave();
  ~LinkServer();  ///< closes all; links outlive it harmlessly

  /// Makes the link of a session and its file `folder`/link.json (mode 0600) with a new secret.
  /// `strand` is where the events run. Throws on I/O errors and for a session that has one.
  std::shared_ptr<Link> offer(const std::string& session, const std::string& folder,
                              EventLoop::Strand strand, Link::Events events,
                              Reach reach = Reach::local);

  /// As offer(), for a session taken up after a restart of the host: the driver that is still there
  /// knows the secret in `folder`/link.json, so it is kept. The driver's first connection sets
  /// where the numbers of both directions go on; frames that it holds unacknowledged come again. It
  /// is kept out until admit().
  /// Throws also when there is no such file or it is another session's.
  std::shared_ptr<Link> resume(const std::string& session, const std::string& folder,
                               EventLoop::Strand strand, Link::Events events);

 private:
  class Impl;
  class Held;
  std::shared_ptr<Link> make(const std::string& session, const std::string& folder,
                             std::string secret, EventLoop::Strand strand, Link::Events events,
                             Reach reach, bool takenUp);
  std::shared_ptr<Impl> impl_;
};

}  // namespace hearth::host
