#include "api/SessionCalls.h"

#include "api/Dispatcher.h"
#include "api/Paging.h"
#include "api/Views.h"
#include "support/JsonBody.h"
#include "support/JsonWriter.h"

namespace hearth::host {

namespace {

[[noreturn]] void notLive(const SessionView& view) {
  throw Refusal(Refusal::Cause::state, "Session is in state " + view.row.state);
}

std::function<bool()> hungUp(const ExchangePtr& exchange) {
  return [exchange] { return exchange->abandoned(); };
}

/// Answers a request to stop code: by `show`, but where nothing could be stopped because a call of
/// the session's plugin hangs.
std::function<void(bool)> stopShown(const ExchangePtr& exchange,
                                    const std::shared_ptr<Session>& session,
                                    std::function<void(const ExchangePtr&, bool)> show) {
  return [exchange, session, show = std::move(show)](bool stopped) {
    guarded(exchange, [&] {
      if (std::string why = stopped ? std::string() : session->hanging(); !why.empty())
        throw Refusal(Refusal::Cause::plugin, why);
      show(exchange, stopped);
    });
  };
}

struct StatementRequest {
  std::string code, kind, options;
};

Session::Answered answerWith(const ExchangePtr& exchange) {
  return [exchange](std::string json, const std::optional<Refusal>& refusal) {
    if (refusal) return refuse(exchange, *refusal);
    answerJson(exchange, 200, std::move(json));
  };
}

template <typename Read>
auto readBody(const Request& request, Read read) {
  try {
    return read(JsonBody(request.body));
  } catch (const JsonSyntaxError& error) {
    throw Refusal(Refusal::Cause::malformed, error.what());
  } catch (const JsonFieldError& error) {
    throw Refusal(Refusal::Cause::invalid, error.what());
  }
}

}  // namespace

SessionCalls::SessionCalls(SessionManager& manager, bool withDeleted,
                           std::chrono::milliseconds longestWait)
    : manager_(manager), withDeleted_(withDeleted), longestWait_(longestWait) {}

SessionView SessionCalls::find(const std::string& idOrName) const {
  return manager_.find(idOrName, withDeleted_);
}

void SessionCalls::create(const ExchangePtr& exchange, ShowCreated show) const {
  const auto wait = waitParameter(exchange->request(), longestWait_);
  CreateRequest request =
      CreateRequest::parse(exchange->request().body,
                           withDeleted_ ? CreateRequest::Fields::v1 : CreateRequest::Fields::livy);
  manager_.create(std::move(request), std::string(), idempotencyKey(exchange->request()),
                  [exchange, show = std::move(show), wait](const SessionManager::Result& result) {
                    if (result.refusal) return refuse(exchange, *result.refusal);
                    const auto session = result.view.live;
                    const bool replayed = result.replayed;
                    if (!wait || !session)
                      return guarded(exchange, [&] { show(exchange, result.view, replayed); });
                    const auto done = [exchange, show, session, replayed] {
                      guarded(exchange, [&] {
                        show(exchange, SessionView{session->row(), session}, replayed);
                      });
                    };
                    session->waitState({*wait, done, hungUp(exchange)});
                  });
}

void SessionCalls::get(const ExchangePtr& exchange, const std::string& id, Show show) const {
  const auto wait = waitParameter(exchange->request(), longestWait_);
  const SessionView view = find(id);
  if (!wait || !view.live) return show(exchange, view);
  const auto session = view.live;
  const auto done = [exchange, session, show = std::move(show)] {
    guarded(exchange, [&] { show(exchange, SessionView{session->row(), session}); });
  };
  session->waitState({*wait, done, hungUp(exchange)});
}

void SessionCalls::end(const ExchangePtr& exchange, const std::string& id,
                       const std::string& reason, bool deleted, Plain show) const {
  const SessionView view = find(id);
  const auto done = [exchange, show = std::move(show)] {
    guarded(exchange, [&] { show(exchange); });
  };
  if (view.live) return view.live->end(SessionState::dead, reason, deleted, done);
  if (!deleted) return done();
  manager_.hide(view.row, [exchange, done](const std::string& error) {
    if (error.empty()) return done();
    refuse(exchange, Refusal(Refusal::Cause::storage, error));
  });
}

void SessionCalls::submit(const ExchangePtr& exchange, const std::string& id,
                          ShowStatement show) const {
  const Request& request = exchange->request();
  const auto wait = waitParameter(request, longestWait_);
  const SessionView view = find(id);
  StatementRequest statement = readBody(request, [](const JsonBody& body) {
    body.allowOnly({"code", "kind", "msg_type", "options"});
    if (!body.has("code")) throw JsonFieldError("field \"code\" is needed");
    return StatementRequest{body.text("code"), body.text("kind"), body.object("options")};
  });
  if (!view.live) notLive(view);
  const auto session = view.live;
  session->submit(std::move(statement.code), std::move(statement.kind),
                  std::move(statement.options),
                  [this, exchange, session, show = std::move(show), wait](
                      Session::StatementPtr row, std::optional<Refusal> refusal) {
                    if (refusal) return refuse(exchange, *refusal);
                    const SessionView posted{session->row(), session};
                    if (!wait) return guarded(exchange, [&] { show(exchange, posted, *row); });
                    const auto done = [this, exchange, session, show, number = row->id] {
                      guarded(exchange, [&] {
                        const SessionView now{session->row(), session};
                        show(exchange, now, *manager_.statement(now, number));
                      });
                    };
                    session->waitStatement(row->id, {*wait, done, hungUp(exchange)});
                  });
}

void SessionCalls::getStatement(const ExchangePtr& exchange, const std::string& id,
                                const std::string& statement, ShowStatement show) const {
  const auto wait = waitParameter(exchange->request(), longestWait_);
  const SessionView view = find(id);
  const std::int64_t number = statementNumber(statement);
  const auto row = manager_.statement(view, number);
  const auto state = statementState(row->state);
  if (!wait || !view.live || !state || isFinal(*state)) return show(exchange, view, *row);
  const auto session = view.live;
  const auto done = [this, exchange, session, number, show = std::move(show)] {
    guarded(exchange, [&] {
      const SessionView now{session->row(), session};
      show(exchange, now, *manager_.statement(now, number));
    });
  };
  session->waitStatement(number, {*wait, done, hungUp(exchange)});
}

void SessionCalls::cancel(const ExchangePtr& exchange, const std::string& id,
                          const std::string& statement,
                          std::function<void(const ExchangePtr&, bool)> show) const {
  const SessionView view = find(id);
  const std::int64_t number = statementNumber(statement);
  if (!view.live) notLive(view);
  view.live->cancel(number, stopShown(exchange, view.live, std::move(show)));
}

void SessionCalls::interrupt(const ExchangePtr& exchange, const std::string& id,
                             std::function<void(const ExchangePtr&, bool)> show) const {
  const SessionView view = find(id);
  if (!view.live) notLive(view);
  view.live->interrupt(stopShown(exchange, view.live, std::move(show)));
}

void SessionCalls::complete(const ExchangePtr& exchange, const std::string& id) const {
  struct Asked {
    std::string code, kind;
    std::int64_t cursor;
  };
  const SessionView view = find(id);
  Asked asked = readBody(exchange->request(), [](const JsonBody& body) {
    body.allowOnly({"code", "kind", "cursor"});
    if (!body.has("code")) throw JsonFieldError("field \"code\" is needed");
    if (!body.has("cursor")) throw JsonFieldError("field \"cursor\" is needed");
    return Asked{body.text("code"), body.text("kind"), body.count("cursor")};
  });
  if (!view.live) notLive(view);
  view.live->complete(std::move(asked.kind), std::move(asked.code),
                      static_cast<std::uint64_t>(asked.cursor),
                      [exchange](const std::vector<std::string>& candidates,
                                 const std::optional<Refusal>& refusal) {
                        if (refusal) return refuse(exchange, *refusal);
                        JsonWriter out;
                        out.beginObject().key("candidates").strings(candidates).endObject();
                        answerJson(exchange, 200, out.take());
                      });
}

void SessionCalls::inspect(const ExchangePtr& exchange, const std::string& id) const {
  struct Asked {
    std::string code, kind;
    std::int64_t cursor, detail;
  };
  const SessionView view = find(id);
  Asked asked = readBody(exchange->request(), [](const JsonBody& body) {
    body.allowOnly({"code", "kind", "cursor", "detail"});
    if (!body.has("code")) throw JsonFieldError("field \"code\" is needed");
    if (!body.has("cursor")) throw JsonFieldError("field \"cursor\" is needed");
    return Asked{body.text("code"), body.text("kind"), body.count("cursor"), body.count("detail")};
  });
  if (asked.detail > 1) throw Refusal(Refusal::Cause::invalid, "\"detail\" is 0 or 1");
  if (!view.live) notLive(view);
  view.live->inspect(std::move(asked.kind), std::move(asked.code),
                     static_cast<std::uint64_t>(asked.cursor), static_cast<int>(asked.detail),
                     answerWith(exchange));
}

void SessionCalls::sharedData(const ExchangePtr& exchange, const std::string& id) const {
  const SessionView view = find(id);
  if (!view.live) notLive(view);
  view.live->sharedData(answerWith(exchange));
}

void SessionCalls::log(const ExchangePtr& exchange, const std::string& id) const {
  const LogWindow window = logWindow(exchange->request());
  const SessionView view = find(id);
  answerJson(exchange, 200,
             logPage(view.row.id, window, sessionLog(view, window.from, window.size)));
}

}  // namespace hearth::host
