// A server and clients over real loopback sockets, for the tests of the HTTP transport.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/HttpServer.h"
#include "http/Message.h"

namespace hearth::test {

using namespace std::chrono_literals;
using Milliseconds = std::chrono::milliseconds;

/// How long anything may take before a test fails; long, since sanitizers and neighbours slow it.
constexpr Milliseconds kPatience{20000};

/// Waits until `condition` holds, asking it anew every few milliseconds; false once out of
/// patience.
bool eventually(const std::function<bool()>& condition, Milliseconds patience = kPatience);

/// A response as a client has read it.
struct Reply {
  int status = 0;  ///< 0: the connection ended or time ran out before a response was whole
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  std::string head;  ///< as received

  std::string header(const std::string& lowerName) const;
};

/// A blocking socket whose every wait is bounded.
class Client {
 public:
  /// `receiveBuffer`: bytes the kernel may hold for this client, 0: its default.
  explicit Client(std::uint16_t port, int receiveBuffer = 0);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&& other) noexcept;

  /// Sends all; false where the server has closed or does not take it in time.
  bool send(const std::string& bytes, Milliseconds patience = kPatience);
  /// Reads one response; `toHead`: it answers a HEAD, so no body follows.
  Reply read(bool toHead = false, Milliseconds patience = kPatience);
  Reply exchange(const std::string& bytes) {
    send(bytes);
    return read();
  }
  /// Whether the server closes within the time; what still comes is dropped.
  bool closedByServer(Milliseconds patience = kPatience);
  /// Bytes that are there already or come within the time.
  std::string available(Milliseconds patience);
  /// Ends the sending direction only.
  void endSending();
  /// Ends with a reset, as a client that was killed behind a firewall may.
  void reset();
  void close();

 private:
  bool fill(std::chrono::steady_clock::time_point until);

  int socket_ = -1;
  std::string buffer_;
};

/// Keeps exchanges that a handler does not answer at once.
class Shelf {
 public:
  void put(host::ExchangePtr exchange);
  /// Waits for the next one; null once out of patience.
  host::ExchangePtr take();
  std::size_t size() const;
  std::vector<host::ExchangePtr> takeAll();

 private:
  mutable std::mutex mutex_;
  std::condition_variable put_;
  std::vector<host::ExchangePtr> exchanges_;
};

/// What the access log was told.
struct Access {
  std::string method, path;
  int status = 0;
  std::size_t bytes = 0;
};

/// A started server with small bounds. Requests for /hold go to the shelf; others to the handler,
/// which by default answers `METHOD path` and the body.
class TestServer {
 public:
  using Handler = host::HttpServer::Handler;
  explicit TestServer(host::HttpLimits limits = host::HttpLimits(), Handler handler = nullptr,
                      unsigned threads = 2);
  ~TestServer() { server->stop(Milliseconds(0)); }

  std::uint16_t port() const { return server->port(); }
  Client client() const { return Client(server->port()); }
  /// One request on a connection of its own.
  Reply once(const std::string& bytes) const;
  std::vector<Access> accesses() const;
  /// Whether nobody is connected any more, or soon so.
  bool becomesEmpty(Milliseconds patience = kPatience) const;

  Shelf shelf;
  std::unique_ptr<host::HttpServer> server;

 private:
  mutable std::mutex mutex_;
  std::vector<Access> accesses_;
};

/// "GET path HTTP/1.1" with a Host, more header lines, and an empty line.
std::string get(const std::string& path, const std::string& moreHeaders = "");
/// A POST with Content-Length.
std::string post(const std::string& path, const std::string& body,
                 const std::string& moreHeaders = "");
host::Response text(int status, std::string body);
std::string gzipped(const std::string& plain);
std::string gunzipped(const std::string& packed);
/// Bytes that do not compress, the same for the same size.
std::string noise(std::size_t size);

}  // namespace hearth::test
