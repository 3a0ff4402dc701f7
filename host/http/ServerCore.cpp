#include "http/ServerCore.h"

#include <exception>
#include <utility>

#include "http/ServerExchange.h"
#include "support/Log.h"

namespace hearth::host {

ServerCore::ServerCore(HttpOptions options, HttpServer::Handler handler,
                       HttpServer::ErrorMaker errors, HttpServer::AccessLog access)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      errors_(std::move(errors)),
      access_(std::move(access)) {}

std::shared_ptr<Request> ServerCore::newRequest(const std::string& remote) {
  static std::atomic<std::uint64_t> last{0};  // not per server: the number is unique in the process
  auto request = std::make_shared<Request>();
  request->remote = remote;
  request->id = std::to_string(++last);
  return request;
}

void ServerCore::handle(std::shared_ptr<const Request> request, std::shared_ptr<ReplyLine> line) {
  const auto exchange = std::make_shared<ServerExchange>(std::move(request), std::move(line));
  const auto failed = [&exchange](const char* what) {
    const Request& failedOne = exchange->request();
    log().error("request {} {} {}: the handler threw: {}", failedOne.id, failedOne.method,
                failedOne.path, what);
    exchange->sendInternalError();
  };
  try {
    handler_(exchange);
  } catch (const std::exception& error) {
    failed(error.what());
  } catch (...) {
    failed("something that is no std::exception");
  }
}

Response ServerCore::makeError(int status, const std::string& path, const std::string& text) const {
  try {
    if (errors_) {
      Response response = errors_(status, path, text);
      response.status = status;
      return response;
    }
  } catch (const std::exception& error) {
    log().error("cannot make the answer for status {}: {}", status, error.what());
  }
  Response response;
  response.status = status;
  response.contentType = "text/plain;charset=utf-8";
  response.body = text + "\n";
  return response;
}

void ServerCore::logAccess(const Request& request, int status, std::size_t bytes,
                           std::chrono::microseconds time) const {
  if (!access_) return;
  try {
    access_(request, status, bytes, time);
  } catch (const std::exception& error) {
    log().error("access log: {}", error.what());
  }
}

}  // namespace hearth::host
