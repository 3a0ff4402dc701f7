// An HTTP server that answers what a test wants, also what no server should.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace hearth::test {

/// One connection after the other, one request on each.
class ScriptedServer {
 public:
  struct Request {
    std::string method, target, head, body;
  };
  /// The bytes of the whole answer; "hang" says nothing until the server ends.
  using Script = std::function<std::string(const Request&)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error("no listener");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
    for (const int held : hanging_) ::close(held);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Request> requests() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }

  static std::string answer(int status, const std::string& body, const std::string& headers = {}) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" +
           headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  void run() {
    while (!stopping_) {
      pollfd waited{listener_, POLLIN, 0};
      if (::poll(&waited, 1, 20) <= 0) continue;
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) continue;
      const timeval patience{5, 0};
      ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      const Request request = read(peer);
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        requests_.push_back(request);
      }
      const std::string bytes = script_(request);
      if (bytes == "hang") {
        hanging_.push_back(peer);
        continue;
      }
      for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t sent = ::send(peer, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
        if (sent <= 0) break;
        at += static_cast<std::size_t>(sent);
      }
      ::close(peer);
    }
  }

  static Request read(int peer) {
    std::string bytes;
    char part[4096];
    Request request;
    std::size_t end = std::string::npos;
    std::size_t wanted = 0;
    while (end == std::string::npos || bytes.size() < end + 4 + wanted) {
      const ssize_t got = ::recv(peer, part, sizeof part, 0);
      if (got <= 0) break;
      bytes.append(part, static_cast<std::size_t>(got));
      if (end != std::string::npos) continue;
      end = bytes.find("\r\n\r\n");
      const std::size_t length = bytes.find("Content-Length: ");
      if (length < end) wanted = std::strtoul(bytes.c_str() + length + 16, nullptr, 10);
    }
    if (end == std::string::npos) return request;
    request.head = bytes.substr(0, end);
    request.body = bytes.substr(end + 4);
    const std::size_t blank = bytes.find(' ');
    request.method = bytes.substr(0, blank);
    request.target = bytes.substr(blank + 1, bytes.find(' ', blank + 1) - blank - 1);
    return request;
  }

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<int> hanging_;
  std::thread thread_;
};

}  // namespace hearth::test
