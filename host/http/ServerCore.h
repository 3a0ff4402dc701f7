// What all connections of a server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "http/ConnectionSet.h"
#include "http/HttpServer.h"

namespace hearth::host {

class ReplyLine;

/// Options, callbacks and the connections. Outlives every connection. Thread-safe.
class ServerCore {
 public:
  ServerCore(HttpOptions options, HttpServer::Handler handler, HttpServer::ErrorMaker errors,
             HttpServer::AccessLog access);

  const HttpOptions& options() const { return options_; }
  const HttpLimits& limits() const { return options_.limits; }
  ConnectionSet& connections() { return connections_; }
  const ConnectionSet& connections() const { return connections_; }

  /// Connections that are only there to be told that there are too many. They are open, but do not
  /// count against the limit: else clients that try again would keep each other out.
  std::atomic<std::size_t>& refusals() { return refusals_; }

  /// A request with a number of its own.
  std::shared_ptr<Request> newRequest(const std::string& remote);
  /// Runs the handler; what it throws is logged and answered 500.
  void handle(std::shared_ptr<const Request> request, std::shared_ptr<ReplyLine> line);
  /// The face's form of an error; a plain one where making that fails.
  Response makeError(int status, const std::string& path, const std::string& text) const;
  void logAccess(const Request& request, int status, std::size_t bytes,
                 std::chrono::microseconds time) const;

  /// Set once the server takes no more: answers then close their connection.
  void beginStop() { stopping_ = true; }
  bool stopping() const { return stopping_; }

 private:
  HttpOptions options_;
  HttpServer::Handler handler_;
  HttpServer::ErrorMaker errors_;
  HttpServer::AccessLog access_;
  ConnectionSet connections_;
  std::atomic<std::size_t> refusals_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace hearth::host
