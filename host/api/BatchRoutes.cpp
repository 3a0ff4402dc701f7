#include "api/BatchRoutes.h"

#include "api/BatchViews.h"
#include "api/Dispatcher.h"
#include "api/Paging.h"
#include "support/JsonWriter.h"

namespace hearth::host {

namespace {

using Args = const PathArguments&;
using View = std::string (*)(const BatchView&);

void created(const ExchangePtr& exchange, const std::string& location, bool replayed,
             std::string body) {
  Response response = Response::json(201, std::move(body));
  response.headers.emplace_back("Location", location);
  if (replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
  answer(exchange, std::move(response));
}

void listBatches(const ExchangePtr& exchange, const char* member, View show, std::int64_t from,
                 const BatchManager::Page& page) {
  JsonWriter out;
  out.beginObject();
  out.key("from").integer(from);
  out.key("total").integer(page.total);
  out.key(member).beginArray();
  for (const BatchView& view : page.batches) out.raw(show(view));
  out.endArray().endObject();
  answerJson(exchange, 200, out.take());
}

void listForLivy(const BatchCalls& calls, const ExchangePtr& exchange) {
  const std::int64_t from = integerParameter(exchange->request(), "from", 0);
  const std::int64_t size = integerParameter(exchange->request(), "size", 100);
  listBatches(exchange, "sessions", livyBatch, from, calls.manager().list(from, size, false));
}

void listForV1(const BatchCalls& calls, const ExchangePtr& exchange) {
  const Request& request = exchange->request();
  const std::int64_t from = integerParameter(request, "from", 0);
  const std::int64_t size = integerParameter(request, "size", 100);
  if (from < 0 || size < 0)
    throw Refusal(Refusal::Cause::parameter, "from and size must not be negative");
  const std::string all = request.parameter("deleted").value_or("false");
  if (all != "true" && all != "false")
    throw Refusal(Refusal::Cause::parameter, "deleted must be true or false");
  listBatches(exchange, "batches", v1Batch, from, calls.manager().list(from, size, all == "true"));
}

void showState(const ExchangePtr& exchange, const BatchView& view) {
  JsonWriter out;
  out.beginObject().key("id").integer(view.row.id).key("state").string(view.row.state).endObject();
  answerJson(exchange, 200, out.take());
}

}  // namespace

void addLivyBatchRoutes(Router& router, const BatchCalls& calls) {
  const auto id = [](Args args) -> const std::string& { return args.at("id"); };

  router.add("GET", "/batches",
             [&calls](const ExchangePtr& exchange, Args) { listForLivy(calls, exchange); });
  router.add("POST", "/batches", [&calls](const ExchangePtr& exchange, Args) {
    calls.create(exchange, [](const ExchangePtr& to, const BatchView& view, bool replayed) {
      created(to, "/batches/" + std::to_string(view.row.id), replayed, livyBatch(view));
    });
  });
  router.add("GET", "/batches/{id}", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.get(exchange, id(args), [](const ExchangePtr& to, const BatchView& view) {
      answerJson(to, 200, livyBatch(view));
    });
  });
  router.add("DELETE", "/batches/{id}", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.end(exchange, id(args),
              [](const ExchangePtr& to) { answerJson(to, 200, R"({"msg":"deleted"})"); });
  });
  router.add("GET", "/batches/{id}/state", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.get(exchange, id(args), showState);
  });
  for (const char* path : {"/batches/{id}/log", "/batches/{id}/logs"})
    router.add("GET", path, [&calls, id](const ExchangePtr& exchange, Args args) {
      calls.log(exchange, id(args));
    });
}

void addV1BatchRoutes(Router& router, const BatchCalls& calls) {
  const auto id = [](Args args) -> const std::string& { return args.at("id"); };

  router.add("GET", "/v1/batches",
             [&calls](const ExchangePtr& exchange, Args) { listForV1(calls, exchange); });
  router.add("POST", "/v1/batches", [&calls](const ExchangePtr& exchange, Args) {
    calls.create(exchange, [](const ExchangePtr& to, const BatchView& view, bool replayed) {
      created(to, "/v1/batches/" + std::to_string(view.row.id), replayed, v1Batch(view));
    });
  });
  router.add("GET", "/v1/batches/{id}", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.get(exchange, id(args), [](const ExchangePtr& to, const BatchView& view) {
      answerJson(to, 200, v1Batch(view));
    });
  });
  router.add("DELETE", "/v1/batches/{id}", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.end(exchange, id(args), [](const ExchangePtr& to) {
      Response response;
      response.status = 204;
      answer(to, std::move(response));
    });
  });
  router.add("GET", "/v1/batches/{id}/log", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.log(exchange, id(args));
  });
}

}  // namespace hearth::host
