// The HTTP server: accepts connections, reads requests within bounds, parks those that wait.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/Message.h"

namespace hearth::host {

struct HttpLimits {
  std::size_t headerBytes = 128 * 1024;          ///< request line and headers; beyond: 431
  std::size_t bodyBytes = 64 * 1024 * 1024;      ///< also after decompression; beyond: 413
  std::size_t connections = 20000;               ///< open at once; beyond: 503 and closed
  std::chrono::milliseconds requestTime{30000};  ///< first to last byte of a request; beyond: 408
  std::chrono::milliseconds idleTime{60000};     ///< keep-alive without a request; beyond: closed
  std::chrono::milliseconds sendTime{60000};     ///< no byte taken by the client; beyond: closed
};

struct HttpOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8998;  ///< 0: any free one
  unsigned threads = 4;
  HttpLimits limits;
};

/// Serves one address. Handlers run on the server's own few threads and must not block: they keep
/// the exchange and answer later. Thread-safe after construction.
class HttpServer {
 public:
  using Handler = std::function<void(const ExchangePtr&)>;
  /// Makes the body and type of an error that the server finds itself (400, 408, 413, 431, 503),
  /// so that its form is that of the face asked for. `path` may be empty.
  using ErrorMaker =
      std::function<Response(int status, const std::string& path, const std::string& text)>;
  /// Called once per answered request, on a server thread: status, bytes of body sent, duration.
  using AccessLog =
      std::function<void(const Request&, int status, std::size_t bytes, std::chrono::microseconds)>;

  HttpServer(HttpOptions options, Handler handler, ErrorMaker errors, AccessLog access);
  ~HttpServer();  ///< stop()

  /// Binds and listens; throws with the address in its text when it cannot. Then serves.
  void start();
  /// The port listened on.
  std::uint16_t port() const;
  /// Accepts no more, lets requests in hand finish for at most `grace`, closes the rest, joins.
  void stop(std::chrono::milliseconds grace);
  std::size_t openConnections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::host
