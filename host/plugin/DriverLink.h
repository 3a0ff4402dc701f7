// A session's one link, shared by its interpreters as channels.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "link/LinkServer.h"
#include "support/EventLoop.h"

namespace hearth::host {

/// Hands the frames of a session's link to the channel they are for. Used on the session's strand
/// only, but for send().
class DriverLink : public std::enable_shared_from_this<DriverLink> {
 public:
  struct Channel {
    std::function<void(Link::Event)> event;
    std::function<void(const Frame&)> frame;
  };
  /// Calls its argument once it is known whether all that was written so far is durable.
  using Durable = std::function<void(std::function<void(bool)>)>;

  DriverLink(LinkServer& server, EventLoop::Strand strand, std::string session, std::string folder,
             Durable durable);

  /// Where channels of this run of the host are numbered from, so that none is one that an earlier
  /// run has opened. Before all else.
  void numberFrom(std::uint16_t first) { firstChannel_ = first; }
  /// The link of a driver that an earlier run of the host has left: the next offer() is of it, and
  /// the driver is kept out until admit(). Throws where its link file cannot be used. On any
  /// thread, before all others.
  void resume();
  /// Lets that driver in. Nothing where none was resumed.
  void admit();

  /// Opens the link for the session's leader, channel 1. Throws where it cannot, or when it is
  /// open. Returns the link file's path.
  std::string offer(Channel channel, Reach reach);
  /// A channel of the open link for a follower: a new one, or `number` where that is not 0. Throws
  /// std::logic_error when there is none.
  std::uint16_t join(Channel channel, std::uint16_t number = 0);
  /// False when too much waits unsent, or no link is open. [any thread after offer]
  bool send(Frame frame);
  /// No event of that channel any more. Closing channel 1 ends the link.
  void close(std::uint16_t channel);
  bool isOpen() const { return link() != nullptr; }
  /// The sequence number of the frame whose handler runs; 0 where none does. [any thread]
  std::uint64_t handling() const { return handling_; }

 private:
  std::shared_ptr<Link> link() const;
  Link::Events events();
  void onFrame(Frame frame);
  void acknowledge();

  LinkServer& server_;
  EventLoop::Strand strand_;
  std::string session_;
  std::string folder_;
  Durable durable_;
  mutable std::mutex linkMutex_;  // link_ only: send() comes from any thread
  std::shared_ptr<Link> link_;
  bool resumed_ = false;  // link_ waits for its offer()
  std::map<std::uint16_t, Channel> channels_;
  std::uint16_t firstChannel_ = 2;
  std::uint16_t nextChannel_ = 2;
  std::atomic<std::uint64_t> handling_{0};
  std::uint64_t handled_ = 0;    // last sequence given to a channel
  std::uint64_t requested_ = 0;  // up to where an acknowledgement is under way or done
  bool acknowledging_ = false;
};

}  // namespace hearth::host
