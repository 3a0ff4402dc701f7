// From a request to its handler, and from whatever the handler throws to an answer.
#pragma once

#include <functional>
#include <string>

#include "http/Message.h"
#include "http/Router.h"
#include "session/Refusal.h"

namespace hearth::host {

/// Sends with the headers that every answer of this server carries.
void answer(const ExchangePtr& exchange, Response response);
void answerJson(const ExchangePtr& exchange, int status, std::string body);
/// For refusals that come by callback.
void refuse(const ExchangePtr& exchange, const Refusal& refusal);
/// Runs `work`; a Refusal, StoreError or other exception becomes the answer. For callbacks, which
/// run outside the dispatcher.
void guarded(const ExchangePtr& exchange, const std::function<void()>& work);

/// A path for a line of the log: cut where it is long, and without anything that could end the line
/// or steer a terminal.
std::string printable(const std::string& path);

/// The handler of the HTTP server. The router is complete before the server starts.
class Dispatcher {
 public:
  explicit Dispatcher(const Router& router) : router_(router) {}
  void handle(const ExchangePtr& exchange) const;

 private:
  const Router& router_;
};

}  // namespace hearth::host
