// A response's body that is made while it is sent.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace hearth::host {

/// Pulled by the connection at the client's pace, so that a slow client costs one piece of memory.
/// Calls come one after the other, on any of the server's threads; none may block for long. Let go
/// of once it has ended or the client has gone.
class BodyStream {
 public:
  virtual ~BodyStream() = default;

  enum class Next { more, wait, end };
  /// Appends what is there, about `most` bytes at most, to `out`. `more`: call again when that is
  /// sent. `wait`: nothing else is there now; `wake` will be called when there is, from any thread.
  /// It may be called again before that, and a wake too many does no harm. `end`: this was all.
  virtual Next read(std::string& out, std::size_t most, std::function<void()> wake) = 0;
  /// Sent while a wait is long, so that proxies do not take the connection for dead. Empty: the
  /// connection is closed.
  virtual std::string keepAlive() const = 0;
};

}  // namespace hearth::host
