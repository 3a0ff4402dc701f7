// The way from an exchange, which may live anywhere and for long, to its connection.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "http/Message.h"

namespace hearth::host {

class Connection;

/// Shared by a connection and its exchanges. It outlives the connection and even the server, so
/// that an exchange kept too long does no harm. Thread-safe.
class ReplyLine {
 public:
  explicit ReplyLine(Connection* connection) : connection_(connection) {}

  /// Has the connection answer `request`: at once on a thread that is inside one of its handlers,
  /// else on its strand. Nothing happens where it is closed.
  void answer(std::shared_ptr<const Request> request, Response response);
  /// Answers 500 in the form of the request's face.
  void answerInternalError(std::shared_ptr<const Request> request);
  /// Called by the connection when it closes: from now on answers go nowhere.
  void hangUp();
  bool hungUp() const { return hungUp_; }

 private:
  template <class Action>
  void withConnection(Action action);

  std::mutex mutex_;
  Connection* connection_;  ///< null once closed
  std::atomic<bool> hungUp_{false};
};

}  // namespace hearth::host
