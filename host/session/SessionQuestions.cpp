// Session: completion, inspection and the list of shared data, which never wait for a statement.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "session/Session.h"
#include "session/SessionPost.h"
#include "support/Log.h"

namespace hearth::host {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds patience{10};

std::vector<std::string> candidatesOf(const std::string& answer) {
  std::vector<std::string> candidates;
  const json::value parsed = json::parse(answer);
  const json::value* list = parsed.get_object().if_contains("candidates");
  if (list && list->is_array())
    for (const json::value& item : list->get_array())
      if (item.is_string()) candidates.emplace_back(item.get_string().c_str());
  return candidates;
}

}  // namespace

void Session::complete(std::string kind, std::string code, std::uint64_t cursor, Completed done) {
  const auto ticket = refusable(done);
  post([kind = std::move(kind), code = std::move(code), cursor,
        done = PendingAnswers::with(ticket, std::move(done))](Session& self) {
    self.ask(
        kind, &Interpreter::canComplete, "{}",
        [&](Interpreter& to, std::uint64_t request) { to.complete(request, code, cursor); },
        [done](const std::string& answer, const std::optional<Refusal>& refusal) {
          if (refusal) return done({}, refusal);
          done(candidatesOf(answer), std::nullopt);
        });
  });
}

void Session::inspect(std::string kind, std::string code, std::uint64_t cursor, int detail,
                      Answered done) {
  const auto ticket = refusable(done);
  post([kind = std::move(kind), code = std::move(code), cursor, detail,
        done = PendingAnswers::with(ticket, std::move(done))](Session& self) {
    self.ask(
        kind, &Interpreter::canInspect, R"({"found":false,"data":{}})",
        [&](Interpreter& to, std::uint64_t request) { to.inspect(request, code, cursor, detail); },
        done);
  });
}

void Session::sharedData(Answered done) {
  const auto ticket = refusable(done);
  post([done = PendingAnswers::with(ticket, std::move(done))](Session& self) {
    const SessionState now = self.state();
    if (self.ending_ || isFinal(now))
      return done({},
                  Refusal(Refusal::Cause::state, "Session is in state " + std::string(name(now))));
    const std::string nothing = R"({"items":[]})";
    for (auto& entry : self.slots_) {
      Slot& of = entry.second;
      if (of.phase != Phase::ready || !of.interpreter->canShareData()) continue;
      return self.askSlot(
          of, nothing, [](Interpreter& to, std::uint64_t request) { to.sharedData(request); },
          done);
    }
    done(nothing, std::nullopt);
  });
}

void Session::ask(const std::string& kind, bool (Interpreter::*able)() const, std::string fallback,
                  const std::function<void(Interpreter&, std::uint64_t)>& put, Answered done) {
  using Cause = Refusal::Cause;
  const SessionState now = state();
  if (ending_ || isFinal(now))
    return done({}, Refusal(Cause::state, "Session is in state " + std::string(name(now))));
  const std::string canonical = kind.empty() ? kind_ : canonicalKind(kind);
  if (canonical.empty() || canonical == "shared")
    return done({},
                Refusal(Cause::invalid, kind.empty() ? "a \"kind\" is needed"
                                                     : "Invalid kind: " + kind + notServed(kind)));
  lastActivity_ = std::chrono::steady_clock::now();
  const auto found = slots_.find(canonical);
  // An interpreter that has not run yet knows no names of the user's.
  if (found == slots_.end() || found->second.phase != Phase::ready ||
      !((*found->second.interpreter).*able)())
    return done(std::move(fallback), std::nullopt);
  Slot& of = found->second;
  askSlot(of, std::move(fallback), put, std::move(done));
}

void Session::askSlot(Slot& of, std::string fallback,
                      const std::function<void(Interpreter&, std::uint64_t)>& put, Answered done) {
  const std::uint64_t request = nextRequest_++;
  auto timer = std::make_unique<Timer>(strand_, patience, [weak = weak_from_this(), request] {
    std::string nothing;
    if (const auto self = weak.lock()) self->answerQuestion(request, HEARTH_E_STATE, nothing);
  });
  questions_[request] = Question{std::move(fallback), std::move(done), std::move(timer)};
  try {
    put(*of.interpreter, request);
  } catch (const PluginError& error) {
    const auto refused = questions_.extract(request);
    refused.mapped().done({}, Refusal(Refusal::Cause::invalid, error.what()));
  }
}

// False where it is no question of a client's. The answer goes into replies as it is, so that it is
// looked through once here.
bool Session::answerQuestion(std::uint64_t request, hearth_status status, std::string& answer) {
  const auto question = questions_.extract(request);
  if (!question) return false;
  boost::system::error_code error;
  const bool good = status == HEARTH_OK && json::parse(answer, error).is_object() && !error;
  question.mapped().done(good ? std::move(answer) : std::move(question.mapped().fallback),
                         std::nullopt);
  return true;
}

void Session::refuseQuestions() {
  for (auto& question : std::exchange(questions_, {}))
    question.second.done({}, Refusal(Refusal::Cause::state, "Session is in state shutting_down"));
}

}  // namespace hearth::host
