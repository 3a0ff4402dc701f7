#include "api/Dispatcher.h"

#include "api/Errors.h"
#include "store/Store.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

// Livy's clients may ask for a version of its API by their Accept header; there has only been one.
bool knownVersion(const Request& request) {
  const std::string accept = request.header("Accept");
  const std::string mark = "application/vnd.livy.v";
  if (accept.compare(0, mark.size(), mark) != 0) return true;
  return accept.substr(mark.size(), accept.find_first_of("+,; ") - mark.size()) == "0.1";
}

}  // namespace

void answer(const ExchangePtr& exchange, Response response) {
  if (response.contentType == "application/json") response.contentType += ";charset=utf-8";
  // Livy's defaults; browsers that show a result must not run what is in it.
  response.headers.emplace_back("X-Frame-Options", "SAMEORIGIN");
  response.headers.emplace_back("X-XSS-Protection", "1; mode=block");
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src "
                                "'self'; frame-src 'self';");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  exchange->send(std::move(response));
}

void answerJson(const ExchangePtr& exchange, int status, std::string body) {
  answer(exchange, Response::json(status, std::move(body)));
}

void refuse(const ExchangePtr& exchange, const Refusal& refusal) {
  answer(exchange, refusalResponse(exchange->request().path, refusal));
}

void guarded(const ExchangePtr& exchange, const std::function<void()>& work) {
  try {
    work();
  } catch (const Refusal& refusal) {
    refuse(exchange, refusal);
  } catch (const StoreReadError& error) {
    const Request& request = exchange->request();
    log().error("request {}: {} {} failed: {}", request.id, request.method, printable(request.path),
                error.what());
    answer(exchange, errorResponse(500, request.path, error.what()));
  } catch (const StoreError& error) {
    refuse(exchange, Refusal(Refusal::Cause::storage, error.what()));
  } catch (const std::exception& error) {
    const Request& request = exchange->request();
    log().error("request {}: {} {} failed: {}", request.id, request.method, printable(request.path),
                error.what());
    answer(exchange, errorResponse(500, request.path,
                                   "internal error, see request " + request.id + " in the log"));
  }
}

std::string printable(const std::string& path) {
  static const char digits[] = "0123456789ABCDEF";
  constexpr std::size_t longest = 300;
  std::string shown;
  for (std::size_t i = 0; i < path.size() && shown.size() < longest; ++i) {
    const auto c = static_cast<unsigned char>(path[i]);
    if (c > 0x20 && c < 0x7f && c != '%') {
      shown += path[i];
      continue;
    }
    shown += '%';
    shown += digits[c >> 4];
    shown += digits[c & 15];
  }
  return shown.size() < longest ? shown : shown + "...";
}

void Dispatcher::handle(const ExchangePtr& exchange) const {
  const Request& request = exchange->request();
  guarded(exchange, [&] {
    if (!knownVersion(request))
      return answer(exchange, errorResponse(406, request.path, "the API has version 0.1 only"));
    const Router::Match match = router_.match(request.method, request.segments);
    if (match.route) return match.route->handler(exchange, match.arguments);
    if (!match.allowed.empty())
      return answer(exchange, wrongMethodResponse(request.path, match.allowed));
    throw Refusal(
        Refusal::Cause::notFound,
        "there is no " + request.path.substr(0, 200) +
            (match.nearest.empty() ? std::string() : ", did you mean " + match.nearest + "?"));
  });
}

}  // namespace hearth::host
