// Asks other servers over HTTP: small questions, bounded answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "cluster/HttpUrl.h"
#include "support/EventLoop.h"

namespace hearth::host {

struct HttpClientOptions {
  std::chrono::milliseconds time{std::chrono::seconds(20)};  ///< one question, redirects included
  std::size_t answerBytes = 32u << 20;
  std::string caFile;  ///< certificates that https is checked by; empty: the system's
  /// Called where a server answers 401: `challenge` is its WWW-Authenticate. `give` is called once,
  /// on any thread, now or later, with the value of the Authorization header for one more try;
  /// empty gives up. This is where SPNEGO goes: a ticket takes a round to the KDC, so it is made
  /// on a thread that may block and not here. Empty: a 401 is the answer.
  using Give = std::function<void(std::string value)>;
  std::function<void(const HttpUrl& url, const std::string& challenge, Give give)> authorize;
};

struct HttpQuestion {
  std::string method = "GET";
  std::string url;
  std::string body;
  std::string contentType;
};

struct HttpAnswer {
  std::string error;  ///< why there is no answer; else empty
  unsigned status = 0;
  std::string body;
  std::string origin;  ///< of the server that gave it, which a redirect may have changed
};

/// A connection for each question. Redirects are followed three times: any for a GET, those that
/// keep the method for others, and the Refresh header by which old ResourceManagers redirect; never
/// from https to http. Thread-safe.
class HttpClient {
 public:
  using Done = std::function<void(HttpAnswer)>;

  HttpClient(EventLoop& loop, HttpClientOptions options);
  ~HttpClient();  ///< questions that are under way go on
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `done` is posted to `strand`, once.
  void ask(HttpQuestion question, EventLoop::Strand strand, Done done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::host
