#include "http/ServerExchange.h"

#include <exception>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

ServerExchange::~ServerExchange() {
  if (answered_) return;
  try {
    if (!line_->hungUp())
      log().error("request {} {} {} was dropped without an answer", request_->id, request_->method,
                  request_->path);
    sendInternalError();
  } catch (const std::exception& error) {
    log().error("request {}: cannot be answered: {}", request_->id, error.what());
  }
}

void ServerExchange::send(Response response) {
  if (!answered_.exchange(true)) line_->answer(request_, std::move(response));
}

void ServerExchange::sendInternalError() {
  if (!answered_.exchange(true)) line_->answerInternalError(request_);
}

}  // namespace hearth::host
