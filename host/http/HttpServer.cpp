#include "http/HttpServer.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "http/Connection.h"
#include "http/Listener.h"
#include "http/ServerCore.h"
#include "support/EventLoop.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

// For the last answers to be taken, and for handlers that are running to return.
constexpr std::chrono::milliseconds kLastWords{1000};
constexpr std::chrono::milliseconds kLastHandlers{1000};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpOptions options, Handler handler, ErrorMaker errors, AccessLog access)
      : core_(std::move(options), std::move(handler), std::move(errors), std::move(access)) {}

  void start() {
    const std::lock_guard lock(mutex_);
    if (loop_) throw std::logic_error("this HTTP server was started already");
    auto loop = std::make_unique<EventLoop>("http", std::max(1U, core_.options().threads));
    listener_ = std::make_unique<Listener>(core_, *loop);
    loop_ = std::move(loop);
    listener_->start();
  }

  std::uint16_t port() const { return listener_ ? listener_->port() : core_.options().port; }

  void stop(std::chrono::milliseconds grace) {
    const std::lock_guard lock(mutex_);
    if (!loop_ || core_.stopping()) return;
    core_.beginStop();
    listener_->close();
    ConnectionSet& connections = core_.connections();
    forAll(&Connection::closeIdle);
    if (!connections.waitEmpty(grace)) {
      forAll(&Connection::closeHeld);
      if (!connections.waitEmpty(kLastWords)) forAll(&Connection::close);
      if (!connections.waitEmpty(kLastHandlers))
        log().error("{} connections are held up by handlers that do not return",
                    connections.size());
    }
    loop_->stop();
    // No thread is left that could touch them; their sockets must go before the loop does.
    for (const std::shared_ptr<Connection>& connection : connections.all()) connection->close();
  }

  std::size_t openConnections() const { return core_.connections().size(); }

 private:
  void forAll(void (Connection::*action)()) {
    for (std::shared_ptr<Connection>& connection : core_.connections().all()) {
      const Connection::Executor executor = connection->executor();
      boost::asio::post(
          executor, [connection = std::move(connection), action] { ((*connection).*action)(); });
    }
  }

  std::mutex mutex_;  ///< one start or stop at a time
  // In the order of need: the loop goes last, since sockets and what is queued belong to it, but
  // what is queued refers to the core.
  ServerCore core_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Listener> listener_;
};

HttpServer::HttpServer(HttpOptions options, Handler handler, ErrorMaker errors, AccessLog access)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler), std::move(errors),
                                   std::move(access))) {}

HttpServer::~HttpServer() {
  stop(std::chrono::milliseconds(0));
}

void HttpServer::start() {
  impl_->start();
}

std::uint16_t HttpServer::port() const {
  return impl_->port();
}

void HttpServer::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}

std::size_t HttpServer::openConnections() const {
  return impl_->openConnections();
}

}  // namespace hearth::host
