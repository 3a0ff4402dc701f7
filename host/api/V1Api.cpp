#include "api/V1Api.h"

#include <hearth/plugin.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/Bundle.h"
#include "api/Dispatcher.h"
#include "api/Notebook.h"
#include "api/OpenApi.h"
#include "api/Paging.h"
#include "api/ResultRows.h"
#include "api/SessionEvents.h"
#include "api/StatementEvents.h"
#include "api/TemplatesApi.h"
#include "api/Views.h"
#include "support/JsonWriter.h"
#include "support/Time.h"

namespace hearth::host {

namespace {

constexpr std::int64_t mostOutput = 4 << 20;  // of one page

std::string sessionPath(const SessionView& view) {
  return "/v1/sessions/" + std::to_string(view.row.id);
}

void created(const ExchangePtr& exchange, const std::string& location, std::string body,
             bool replayed = false) {
  Response response = Response::json(201, std::move(body));
  response.headers.emplace_back("Location", location);
  if (replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
  answer(exchange, std::move(response));
}

void showSession(const ExchangePtr& exchange, const SessionView& view) {
  answerJson(exchange, 200, v1Session(view));
}

void noContent(const ExchangePtr& exchange) {
  Response response;
  response.status = 204;
  answer(exchange, std::move(response));
}

std::int64_t count(const Request& request, const char* name, std::int64_t fallback) {
  const std::int64_t value = integerParameter(request, name, fallback);
  if (value < 0)
    throw Refusal(Refusal::Cause::parameter, std::string(name) + " must not be negative");
  return value;
}

void listSessions(const SessionCalls& calls, const ExchangePtr& exchange) {
  const Request& request = exchange->request();
  const std::int64_t from = count(request, "from", 0);
  const std::int64_t size = count(request, "size", 100);
  const std::string all = request.parameter("deleted").value_or("false");
  if (all != "true" && all != "false")
    throw Refusal(Refusal::Cause::parameter, "deleted must be true or false");
  const SessionManager::Page page = calls.manager().list(from, size, all == "true");
  JsonWriter out;
  out.beginObject();
  out.key("from").integer(from);
  out.key("total").integer(page.total);
  out.key("sessions").beginArray();
  for (const SessionView& view : page.sessions) out.raw(v1Session(view));
  out.endArray().endObject();
  answerJson(exchange, 200, out.take());
}

void listStatements(const SessionCalls& calls, const ExchangePtr& exchange, const std::string& id) {
  const Request& request = exchange->request();
  const std::int64_t from = count(request, "from", 0);
  const std::int64_t size = count(request, "size", 100);
  const std::string order = request.parameter("order").value_or("asc");
  if (order != "asc" && order != "desc")
    throw Refusal(Refusal::Cause::parameter, "order must be asc or desc");
  const auto page = calls.manager().statements(calls.find(id), from, size, order == "desc");
  JsonWriter out;
  out.beginObject();
  out.key("from").integer(from);
  out.key("total").integer(page.total);
  out.key("statements").beginArray();
  for (const auto& row : page.statements) out.raw(v1Statement(*row));
  out.endArray().endObject();
  answerJson(exchange, 200, out.take());
}

int streamParameter(const Request& request) {
  const std::string stream = request.parameter("stream").value_or("stdout");
  if (stream != "stdout" && stream != "stderr")
    throw Refusal(Refusal::Cause::parameter, "stream must be stdout or stderr");
  return stream == "stderr" ? HEARTH_STDERR : HEARTH_STDOUT;
}

void sendStream(const ExchangePtr& exchange, const char* type, std::shared_ptr<BodyStream> stream) {
  Response response;
  response.contentType = type;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.stream = std::move(stream);
  answer(exchange, std::move(response));
}

/// Where the client wants to go on, as a Position; "0-0.." is the start.
template <typename Position>
Position resumeAt(const Request& request, const char* start) {
  std::string last = request.header("Last-Event-ID");
  if (last.empty()) last = request.parameter("lastEventId").value_or(start);
  const auto position = Position::parse(last);
  if (!position)
    throw Refusal(Refusal::Cause::parameter, "Last-Event-ID is none that this server has sent");
  return *position;
}

void sendSessionEvents(const SessionCalls& calls, const ExchangePtr& exchange,
                       const std::string& id) {
  const auto start = resumeAt<SessionEvents::Position>(exchange->request(), "0-0");
  sendStream(exchange, "text/event-stream; charset=utf-8",
             std::make_shared<SessionEvents>(calls.manager(), calls.find(id), start));
}

void sendEvents(const SessionCalls& calls, const ExchangePtr& exchange, const std::string& id,
                const std::string& statement) {
  const auto start = resumeAt<StatementOutput::Position>(exchange->request(), "0-0-0");
  const std::int64_t number = statementNumber(statement);
  sendStream(exchange, "text/event-stream; charset=utf-8",
             std::make_shared<StatementEvents>(calls.manager(), calls.find(id), number, start));
}

void sendOutput(const SessionCalls& calls, const ExchangePtr& exchange, const std::string& id,
                const std::string& statement) {
  const Request& request = exchange->request();
  const int stream = streamParameter(request);
  const std::int64_t from = count(request, "from", 0);
  const std::int64_t size = count(request, "size", 65536);
  const auto output = outputOf(calls.manager(), calls.find(id), statementNumber(statement));
  // Asked first: what ends meanwhile is seen as open, never the reverse.
  const bool closed = output->closed();
  const StatementOutput::Page page =
      output->read(stream, static_cast<std::uint64_t>(from),
                   static_cast<std::size_t>(std::min<std::int64_t>(size, mostOutput)));
  const std::uint64_t end = page.from + page.text.size();
  JsonWriter out;
  out.beginObject();
  out.key("stream").string(stream == HEARTH_STDERR ? "stderr" : "stdout");
  out.key("from").integer(static_cast<std::int64_t>(page.from));
  out.key("next").integer(static_cast<std::int64_t>(end));
  out.key("total").integer(static_cast<std::int64_t>(page.total));
  out.key("complete").boolean(closed && end >= page.total);
  out.key("text").string(page.text);
  out.endObject();
  answerJson(exchange, 200, out.take());
}

void sendRows(const SessionCalls& calls, const ExchangePtr& exchange, const std::string& id,
              const std::string& statement) {
  const Request& request = exchange->request();
  const std::int64_t from = count(request, "from", 0);
  const std::int64_t size = count(request, "size", 1000);
  const auto row = calls.manager().statement(calls.find(id), statementNumber(statement));
  const Bundle bundle = Bundle::forV1(row->bundle);
  const auto page = ResultRows::of(bundle.data, from, size);
  if (!page)
    throw Refusal(Refusal::Cause::state,
                  row->outcome.empty() ? "the statement is " + row->state + ": it has no result yet"
                                       : "the statement's result has no rows");
  JsonWriter out;
  out.beginObject();
  out.key("mime").string(page->mime);
  out.key("columns").raw(page->columns);
  out.key("metadata").raw(bundle.metadata);
  out.key("from").integer(page->from);
  out.key("total").integer(page->total);
  out.key("rows").raw(page->rows);
  out.endObject();
  answerJson(exchange, 200, out.take());
}

void sendText(const SessionCalls& calls, const ExchangePtr& exchange, const std::string& id,
              const std::string& statement) {
  const Request& request = exchange->request();
  const int stream = streamParameter(request);
  const auto from = static_cast<std::uint64_t>(count(request, "from", 0));
  const auto output = outputOf(calls.manager(), calls.find(id), statementNumber(statement));
  sendStream(exchange, "text/plain; charset=utf-8",
             std::make_shared<PrintedText>(output, stream, from));
}

void sendNotebook(const SessionCalls& calls, const ExchangePtr& exchange, const std::string& id) {
  const SessionView view = calls.find(id);
  Response response;
  response.contentType = "application/x-ipynb+json";
  response.headers.emplace_back(
      "Content-Disposition",
      "attachment; filename=\"session-" + std::to_string(view.row.id) + ".ipynb\"");
  response.stream = std::make_shared<Notebook>(calls.manager(), view);
  answer(exchange, std::move(response));
}

/// Without the values of keys that name a secret.
std::string shownDefaults(const std::string& defaults) {
  if (defaults.empty()) return {};
  boost::system::error_code error;
  boost::json::value shown = boost::json::parse(defaults, error);
  if (error || !shown.is_object()) return {};
  if (boost::json::value* conf = shown.get_object().if_contains("conf"); conf && conf->is_object())
    for (auto& entry : conf->get_object())
      if (isSecretKey(std::string(entry.key()))) entry.value() = redactedText;
  return boost::json::serialize(shown);
}

}  // namespace

std::string pluginsView(const PluginCatalog& catalog) {
  JsonWriter out;
  out.beginObject().key("plugins").beginArray();
  for (const CatalogEntry& entry : catalog.entries()) {
    const PluginInstancePtr instance = entry.retiring ? entry.last.lock() : entry.live;
    if (entry.retiring && !instance) continue;  // its last session has just ended
    out.beginObject();
    out.key("instance").string(entry.instance);
    out.key("state").string(entry.state());
    out.key("reason").stringOrNull(entry.reason);
    out.key("path").string(entry.path);
    out.key("manifest").stringOrNull(entry.manifest);
    out.key("id").stringOrNull(entry.descriptor.id);
    out.key("version").stringOrNull(entry.descriptor.version);
    out.key("abi").string(std::to_string(HEARTH_ABI_MAJOR) + "." + std::to_string(entry.abiMinor));
    out.key("kinds").beginArray();
    for (const auto& kind : entry.kinds) out.string(kind.first);
    out.endArray();
    out.key("aliases").beginObject();
    for (const auto& [alias, kind] : entry.aliases) out.key(alias).string(kind);
    out.endObject();
    out.key("magics").strings(entry.descriptor.magics);
    out.key("leader").stringOrNull(entry.leader);
    out.key("quarantined").boolean(entry.quarantined);
    out.key("lastCrash");
    if (const auto& crash = entry.lastCrash) {
      out.beginObject();
      out.key("time").string(isoTime(crash->time));
      out.key("signal").string(crash->signal);
      out.key("version").stringOrNull(crash->version);
      out.key("slot").stringOrNull(crash->slot);
      out.key("session").stringOrNull(crash->session);
      out.key("summary").string(crash->summary);
      out.key("note").string(crash->note);
      out.endObject();
    } else {
      out.null();
    }
    out.key("sha256").stringOrNull(entry.file.sha256);
    out.key("loadedAt").stringOrNull(isoTime(entry.loadedAt));
    out.key("sessions").integer(instance ? instance->sessions.load() : 0);
    out.key("defaults").raw(shownDefaults(entry.rules.defaultsJson));
    out.key("limits").raw(entry.rules.limitsJson);
    out.endObject();
  }
  out.endArray().endObject();
  return out.take();
}

void addV1Routes(Router& router, const SessionCalls& calls, const PluginHost& plugins,
                 const std::string& version) {
  using Args = const PathArguments&;
  const auto id = [](Args args) -> const std::string& { return args.at("id"); };

  router.add("GET", "/v1/version", [version](const ExchangePtr& exchange, Args) {
    JsonWriter out;
    out.beginObject();
    out.key("name").string("hearth");
    out.key("version").string(version);
    out.key("livy").string("0.10.0");
    out.key("abi").string(std::to_string(HEARTH_ABI_MAJOR) + "." +
                          std::to_string(HEARTH_ABI_MINOR));
    out.endObject();
    answerJson(exchange, 200, out.take());
  });
  router.add("GET", "/v1/openapi.json",
             [](const ExchangePtr& exchange, Args) { answerJson(exchange, 200, openApiDocument); });
  router.add("GET", "/v1/plugins", [&plugins](const ExchangePtr& exchange, Args) {
    answerJson(exchange, 200, pluginsView(*plugins.catalog()));
  });

  router.add("GET", "/v1/sessions",
             [&calls](const ExchangePtr& exchange, Args) { listSessions(calls, exchange); });
  router.add("POST", "/v1/sessions", [&calls](const ExchangePtr& exchange, Args) {
    calls.create(exchange, [](const ExchangePtr& to, const SessionView& view, bool replayed) {
      created(to, sessionPath(view), v1Session(view), replayed);
    });
  });
  router.add("GET", "/v1/sessions/{id}", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.get(exchange, id(args), showSession);
  });
  router.add("DELETE", "/v1/sessions/{id}", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.end(exchange, id(args), "deleted by a client", true, noContent);
  });
  router.add("GET", "/v1/sessions/{id}/log", [&calls, id](const ExchangePtr& exchange, Args args) {
    calls.log(exchange, id(args));
  });
  router.add("GET", "/v1/sessions/{id}/events",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               sendSessionEvents(calls, exchange, id(args));
             });
  router.add("POST", "/v1/sessions/{id}/interrupt",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               calls.interrupt(exchange, id(args), [](const ExchangePtr& to, bool stopped) {
                 if (!stopped) throw Refusal(Refusal::Cause::state, "no statement runs");
                 Response response = Response::json(202, "{\"interrupted\":true}");
                 answer(to, std::move(response));
               });
             });
  router.add(
      "POST", "/v1/sessions/{id}/completion",
      [&calls, id](const ExchangePtr& exchange, Args args) { calls.complete(exchange, id(args)); });
  router.add("GET", "/v1/sessions/{id}/statements",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               listStatements(calls, exchange, id(args));
             });
  router.add(
      "POST", "/v1/sessions/{id}/statements", [&calls, id](const ExchangePtr& exchange, Args args) {
        calls.submit(exchange, id(args),
                     [](const ExchangePtr& to, const SessionView& view, const StatementRow& row) {
                       created(to, sessionPath(view) + "/statements/" + std::to_string(row.id),
                               v1Statement(row));
                     });
      });
  router.add(
      "POST", "/v1/sessions/{id}/inspection",
      [&calls, id](const ExchangePtr& exchange, Args args) { calls.inspect(exchange, id(args)); });
  router.add("GET", "/v1/sessions/{id}/shared",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               calls.sharedData(exchange, id(args));
             });
  router.add("GET", "/v1/sessions/{id}/notebook",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               sendNotebook(calls, exchange, id(args));
             });
  router.add("GET", "/v1/sessions/{id}/statements/{statement}/events",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               sendEvents(calls, exchange, id(args), args.at("statement"));
             });
  router.add("GET", "/v1/sessions/{id}/statements/{statement}/output",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               sendOutput(calls, exchange, id(args), args.at("statement"));
             });
  router.add("GET", "/v1/sessions/{id}/statements/{statement}/output/text",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               sendText(calls, exchange, id(args), args.at("statement"));
             });
  router.add("GET", "/v1/sessions/{id}/statements/{statement}/rows",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               sendRows(calls, exchange, id(args), args.at("statement"));
             });
  const auto showStatement = [](const ExchangePtr& to, const SessionView&,
                                const StatementRow& row) { answerJson(to, 200, v1Statement(row)); };
  router.add("GET", "/v1/sessions/{id}/statements/{statement}",
             [&calls, id, showStatement](const ExchangePtr& exchange, Args args) {
               calls.getStatement(exchange, id(args), args.at("statement"), showStatement);
             });
  router.add("POST", "/v1/sessions/{id}/statements/{statement}/cancel",
             [&calls, id](const ExchangePtr& exchange, Args args) {
               const SessionView view = calls.find(id(args));
               const std::int64_t number = statementNumber(args.at("statement"));
               calls.manager().statement(view, number);  // 404 where there is none
               calls.cancel(exchange, id(args), args.at("statement"),
                            [&calls, view, number](const ExchangePtr& to, bool stopped) {
                              const auto row = calls.manager().statement(view, number);
                              if (!stopped)
                                throw Refusal(Refusal::Cause::state,
                                              "the statement is " + row->state + " already");
                              answerJson(to, 202, v1Statement(*row));
                            });
             });
}

}  // namespace hearth::host
