#include "http/Listener.h"

#include <fcntl.h>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kPause{100};
constexpr int kBacklog = 4096;
// Connections beyond the limit that may be told so at the same time; the rest is just closed.
constexpr std::size_t kRefusals = 256;

void closeOnExec(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFD);
  if (flags >= 0) ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
}

}  // namespace

Listener::Listener(ServerCore& core, EventLoop& loop)
    : core_(core), loop_(loop), acceptor_(loop.strand()), pause_(acceptor_.get_executor()) {
  const std::string& host = core.options().host;
  const std::uint16_t port = core.options().port;
  try {
    open(host, port);
  } catch (const boost::system::system_error& error) {
    const std::string shown = host.find(':') == std::string::npos ? host : '[' + host + ']';
    throw std::runtime_error("cannot listen on " + shown + ':' + std::to_string(port) + ": " +
                             error.code().message());
  }
}

void Listener::open(const std::string& host, std::uint16_t port) {
  asio::ip::tcp::endpoint endpoint;
  error_code notNumeric;
  const asio::ip::address address = asio::ip::make_address(host, notNumeric);
  if (notNumeric) {
    asio::ip::tcp::resolver resolver(loop_.context());
    endpoint = *resolver.resolve(host, std::to_string(port), asio::ip::resolver_base::passive);
  } else {
    endpoint = asio::ip::tcp::endpoint(address, port);
  }
  acceptor_.open(endpoint.protocol());
  closeOnExec(acceptor_.native_handle());
  acceptor_.set_option(asio::socket_base::reuse_address(true));
  // "::" means every address, whatever the system's default for IPv4 over it.
  if (endpoint.address().is_v6() && endpoint.address().is_unspecified())
    acceptor_.set_option(asio::ip::v6_only(false));
  acceptor_.bind(endpoint);
  acceptor_.listen(kBacklog);
  port_ = acceptor_.local_endpoint().port();
}

void Listener::start() {
  asio::post(acceptor_.get_executor(), [this] { accept(); });
}

void Listener::accept() {
  acceptor_.async_accept(loop_.strand(),
                         [this](const error_code& error, Connection::Socket socket) {
                           onAccept(error, std::move(socket));
                         });
}

void Listener::onAccept(const error_code& error, Connection::Socket socket) {
  if (!acceptor_.is_open()) return;
  if (error && error != asio::error::connection_aborted && error != asio::error::interrupted) {
    if (!starved_) log().error("cannot accept connections: {}", error.message());
    starved_ = true;
    pause_.expires_after(kPause);
    pause_.async_wait([this](const error_code& stopped) {
      if (!stopped && acceptor_.is_open()) accept();
    });
    return;
  }
  if (!error) {
    if (starved_) log().info("connections are accepted again");
    starved_ = false;
    welcome(std::move(socket));
  }
  accept();
}

void Listener::welcome(Connection::Socket socket) {
  const std::size_t refusals = core_.refusals();
  const bool full = core_.connections().size() >= core_.limits().connections + refusals;
  if (full && refusals >= kRefusals) return;
  error_code failed;
  closeOnExec(socket.native_handle());
  socket.set_option(asio::ip::tcp::no_delay(true), failed);
  socket.non_blocking(true, failed);
  if (failed) return;  // the client has gone again
  auto connection = std::make_shared<Connection>(core_, std::move(socket));
  if (full) ++core_.refusals();
  core_.connections().add(connection);
  asio::dispatch(connection->executor(), [connection, full] {
    if (full)
      connection->refuse();
    else
      connection->start();
  });
}

void Listener::close() {
  std::promise<void> closed;
  asio::post(acceptor_.get_executor(), [this, &closed] {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    closed.set_value();
  });
  closed.get_future().wait();
}

}  // namespace hearth::host
