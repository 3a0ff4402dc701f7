// The bytes of one connection of a driver, whatever carries them.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/EventLoop.h"

namespace hearth::host {

/// Used on one strand, on which `done` is called too, never on the caller's stack. At most one read
/// and one write at a time; what they fill or send lives until `done`, and so does the stream.
class LinkStream {
 public:
  using Error = boost::system::error_code;
  using Done = std::function<void(const Error&, std::size_t)>;

  virtual ~LinkStream() = default;
  /// Before the first read: a handshake, where there is one.
  virtual void open(std::function<void(const Error&)> done) = 0;
  /// Reads at least one byte, at most what `room` has.
  virtual void read(boost::asio::mutable_buffer room, Done done) = 0;
  /// Writes all.
  virtual void write(std::vector<boost::asio::const_buffer> bytes, Done done) = 0;
  /// Hangs up; reads and writes that wait end with an error.
  virtual void close() = 0;
};

/// Where drivers connect: a listening socket. Not thread-safe.
class LinkDoor {
 public:
  using Error = boost::system::error_code;
  /// The stream, which runs on the strand; none where there is an error or the peer was turned
  /// away.
  using Accepted = std::function<void(const Error&, std::unique_ptr<LinkStream>)>;

  virtual ~LinkDoor() = default;  ///< close()
  /// One connection. `done` is called on the strand; not after close().
  virtual void accept(const EventLoop::Strand& strand, Accepted done) = 0;
  virtual void close() = 0;
  /// What a link file says of it.
  virtual std::string endpoint() const = 0;
};

}  // namespace hearth::host
