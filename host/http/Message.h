// A request as the server has received it whole, and the response to it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/BodyStream.h"

namespace hearth::host {

/// One HTTP request, complete and within the server's bounds. Immutable once handed to a handler.
struct Request {
  std::string method;  ///< upper case, after X-HTTP-Method-Override
  std::string path;    ///< decoded, without query; no trailing slash except for "/" itself
  std::vector<std::string> segments;  ///< path split at '/', each decoded: {"sessions","0"}
  std::string query;                  ///< raw, without '?'
  std::string body;                   ///< decoded from gzip or deflate
  std::string remote;                 ///< peer address without port
  std::string id;                     ///< number of the request for logs, unique in the process

  /// First header of that name, case-insensitive; empty when absent.
  std::string header(std::string_view name) const;
  /// Decoded query parameter, absent when not given.
  std::optional<std::string> parameter(std::string_view name) const;

  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::pair<std::string, std::string>> parameters;
};

/// What goes back. The body is moved to the connection, never copied.
struct Response {
  int status = 200;
  std::string contentType = "application/json";  ///< empty: no such header
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// In place of `body`, made while it is sent; null: `body` is all.
  std::shared_ptr<BodyStream> stream;

  static Response json(int status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
  }
};

/// One request and the right to answer it once, from any thread, now or later. While nobody
/// answers, the connection is parked and costs no thread. Dropping the last reference without an
/// answer sends 500.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  /// Sends the response; a second call is ignored. Never blocks on the client. [any thread]
  virtual void send(Response response) = 0;
  /// True once the client has hung up or the server is stopping: an answer would go nowhere.
  virtual bool abandoned() const = 0;
};

using ExchangePtr = std::shared_ptr<Exchange>;

}  // namespace hearth::host
