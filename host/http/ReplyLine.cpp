#include "http/ReplyLine.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "http/Connection.h"

namespace hearth::host {

template <class Action>
void ReplyLine::withConnection(Action action) {
  Connection* const current = Connection::current();
  if (current && current->line().get() == this) {
    action(*current);
    return;
  }
  // Declared before the lock: should this be the last reference, the connection goes after it.
  std::shared_ptr<Connection> connection;
  const std::lock_guard lock(mutex_);
  // As long as connection_ is set the server waits for the connection, and its loop exists.
  if (connection_) connection = connection_->weak_from_this().lock();
  if (!connection) return;
  boost::asio::post(connection->executor(), [connection, action = std::move(action)]() mutable {
    action(*connection);
    connection->advance();
  });
}

void ReplyLine::answer(std::shared_ptr<const Request> request, Response response) {
  withConnection(
      [request = std::move(request), response = std::move(response)](Connection& to) mutable {
        to.answer(std::move(request), std::move(response));
      });
}

void ReplyLine::answerInternalError(std::shared_ptr<const Request> request) {
  withConnection([request = std::move(request)](Connection& to) mutable {
    to.answerInternalError(std::move(request));
  });
}

void ReplyLine::hangUp() {
  const std::lock_guard lock(mutex_);
  connection_ = nullptr;
  hungUp_ = true;
}

}  // namespace hearth::host
