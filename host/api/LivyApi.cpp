#include "api/LivyApi.h"

#include "api/Dispatcher.h"
#include "api/Paging.h"
#include "api/Views.h"
#include "support/JsonWriter.h"

namespace hearth::host {

namespace {

constexpr const char* deletedByClient = "deleted by a client";

void message(const ExchangePtr& exchange, const char* text) {
  answerJson(exchange, 200, std::string("{\"msg\":\"") + text + "\"}");
}

void created(const ExchangePtr& exchange, const std::string& location, std::string body,
             bool replayed = false) {
  Response response = Response::json(201, std::move(body));
  response.headers.emplace_back("Location", location);
  if (replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
  answer(exchange, std::move(response));
}

void showSession(const ExchangePtr& exchange, const SessionView& view) {
  answerJson(exchange, 200, livySession(view));
}

void showState(const ExchangePtr& exchange, const SessionView& view) {
  JsonWriter out;
  out.beginObject().key("id").integer(view.row.id).key("state").string(view.row.state).endObject();
  answerJson(exchange, 200, out.take());
}

void listSessions(const SessionCalls& calls, const ExchangePtr& exchange) {
  const std::int64_t from = integerParameter(exchange->request(), "from", 0);
  const std::int64_t size = integerParameter(exchange->request(), "size", 100);
  const SessionManager::Page page = calls.manager().list(from, size, false);
  JsonWriter out;
  out.beginObject();
  out.key("from").integer(from);
  out.key("total").integer(page.total);
  out.key("sessions").beginArray();
  for (const SessionView& view : page.sessions) out.raw(livySession(view));
  out.endArray().endObject();
  answerJson(exchange, 200, out.take());
}

void listStatements(const SessionCalls& calls, const ExchangePtr& exchange, const std::string& id) {
  const Request& request = exchange->request();
  const std::int64_t from = integerParameter(request, "from", 0);
  const std::int64_t size = integerParameter(request, "size", 2147483647);
  std::string order = request.parameter("order").value_or("asc");
  for (char& c : order) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  order.erase(0, order.find_first_not_of(' '));
  order.erase(order.find_last_not_of(' ') + 1);
  const auto page = calls.manager().statements(calls.find(id), from, size, order == "desc");
  JsonWriter out;
  out.beginObject();
  out.key("total_statements").integer(page.total);
  out.key("statements").beginArray();
  for (const auto& row : page.statements) out.raw(livyStatement(*row));
  out.endArray().endObject();
  answerJson(exchange, 200, out.take());
}

}  // namespace

void addLivyRoutes(Router& router, const SessionCalls& calls) {
  using Args = const PathArguments&;
  const auto id = [](Args args) -> const std::string& { return args.at("id"); };

  router.add("GET", "/version", [](const ExchangePtr& exchange, Args) {
    // Clients choose their features by this number: it is the Livy whose API is served.
    answerJson(
        exchange, 200,
        R"({"url":"","branch":"","revision":"","version":"0.10.0","date":"","user":"hearth"})");
  });
  router.add("GET", "/metrics/ping", [](const ExchangePtr& exchange, Args) {
    Response response;
    response.contentType = "text/plain";
    response.body = "pong\n";
    answer(exchange, std::move(response));
  });

  router.add("GET", "/sessions",
             [&calls](const ExchangePtr& exchange, Args) { listSessions(calls, exchange); });
  router.add("POST", "/sessions", [&calls](const ExchangePtr& exchange, Args) {
    calls.create(exchange, [](const ExchangePtr& to, const SessionView& view, bool replayed) {
      created(to, "/sessions/" + std::to_string(view.row.id), livySession(view), replayed);
    });
  });
  router.add("GET", "/sessions/{id}", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.get(exchange, id(args), showSession);
  });
  router.add("DELETE", "/sessions/{id}", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.end(exchange, id(args), deletedByClient, true,
              [](const ExchangePtr& to) { message(to, "deleted"); });
  });
  router.add("GET", "/sessions/{id}/state", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.get(exchange, id(args), showState);
  });
  for (const char* path : {"/sessions/{id}/log", "/sessions/{id}/logs"})
    router.add("GET", path, [&calls, id](const ExchangePtr& exchange, Args args) {
      calls.log(exchange, id(args));
    });
  router.add("POST", "/sessions/{id}/connect",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               const SessionView view = calls.find(id(args));
               if (view.live) view.live->touch();
               showSession(exchange, view);
             });
  router.add("POST", "/sessions/{id}/stop", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.end(exchange, id(args), "stopped by a client", false, [](const ExchangePtr& to) {
      Response response;
      response.status = 204;
      answer(to, std::move(response));
    });
  });
  // Livy's ends the session, which its name does not say; here it does what it says.
  router.add("POST", "/sessions/{id}/interrupt",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               calls.interrupt(exchange, id(args),
                               [](const ExchangePtr& to, bool) { message(to, "interrupted"); });
             });
  router.add(
      "POST", "/sessions/{id}/completion",
      [&calls, id](const ExchangePtr& exchange, Args args) { calls.complete(exchange, id(args)); });

  router.add("GET", "/sessions/{id}/statements",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               listStatements(calls, exchange, id(args));
             });
  router.add(
      "POST", "/sessions/{id}/statements", [&calls, id](const ExchangePtr& exchange, Args args) {
        calls.submit(exchange, id(args),
                     [](const ExchangePtr& to, const SessionView& view, const StatementRow& row) {
                       created(to,
                               "/sessions/" + std::to_string(view.row.id) + "/statements/" +
                                   std::to_string(row.id),
                               livyStatement(row));
                     });
      });
  router.add("GET", "/sessions/{id}/statements/{statement}",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               calls.getStatement(
                   exchange, id(args), args.at("statement"),
                   [](const ExchangePtr& to, const SessionView&, const StatementRow& row) {
                     answerJson(to, 200, livyStatement(row));
                   });
             });
  router.add("POST", "/sessions/{id}/statements/{statement}/cancel",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               calls.cancel(exchange, id(args), args.at("statement"),
                            [](const ExchangePtr& to, bool) { message(to, "canceled"); });
             });
}

}  // namespace hearth::host
