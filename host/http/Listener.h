// The listening socket of a server.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "http/Connection.h"
#include "http/ServerCore.h"
#include "support/EventLoop.h"

namespace hearth::host {

/// Accepts connections and starts them on strands of their own. Without descriptors or memory to
/// accept with, it waits a little before it tries again.
class Listener {
 public:
  /// Binds and listens; throws std::runtime_error naming address and reason.
  Listener(ServerCore& core, EventLoop& loop);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();
  std::uint16_t port() const { return port_; }
  /// Accepts no more; returns when that is so. [not from a thread of the loop]
  void close();

 private:
  using Executor = EventLoop::Strand;
  using Clock = std::chrono::steady_clock;

  void open(const std::string& host, std::uint16_t port);
  void accept();
  void onAccept(const boost::system::error_code& error, Connection::Socket socket);
  void welcome(Connection::Socket socket);

  ServerCore& core_;
  EventLoop& loop_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor> acceptor_;
  boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor> pause_;
  std::uint16_t port_ = 0;
  bool starved_ = false;  ///< the last accept failed for want of something
};

}  // namespace hearth::host
