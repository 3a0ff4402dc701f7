// The exchange that handlers of HttpServer get.
#pragma once

#include <atomic>
#include <memory>

#include "http/Message.h"
#include "http/ReplyLine.h"

namespace hearth::host {

/// Holds the request and the right to answer it; the destructor answers 500 where nobody did.
class ServerExchange : public Exchange {
 public:
  ServerExchange(std::shared_ptr<const Request> request, std::shared_ptr<ReplyLine> line)
      : request_(std::move(request)), line_(std::move(line)) {}
  ~ServerExchange() override;

  const Request& request() const override { return *request_; }
  void send(Response response) override;
  bool abandoned() const override { return line_->hungUp(); }
  /// As send(), with the server's own 500.
  void sendInternalError();

 private:
  std::shared_ptr<const Request> request_;
  std::shared_ptr<ReplyLine> line_;
  std::atomic<bool> answered_{false};
};

}  // namespace hearth::host
