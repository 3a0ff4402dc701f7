// Session: statements, from the queue to their result.
#include <algorithm>

#include "session/Session.h"
#include "session/SessionPost.h"
#include "support/FaultPoint.h"
#include "support/JsonWriter.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

using std::chrono::steady_clock;

namespace {

// Numbers on the plugin border begin at 1, those of clients at 0.
std::uint64_t toPlugin(std::int64_t statement) {
  return static_cast<std::uint64_t>(statement) + 1;
}
std::int64_t fromPlugin(std::uint64_t statement) {
  return static_cast<std::int64_t>(statement) - 1;
}

std::size_t sizeOf(const StatementRow& row) {
  return row.bundle.size() + row.code.size() + row.out.size() + row.err.size() +
         row.displays.size();
}

// An object without a key has no quote: a plugin that has ended a statement without a word.
bool saysNothing(const std::string& bundle) {
  return bundle.find('"') == std::string::npos;
}

std::string errorBundle(const std::string& ename, const std::string& evalue) {
  return "{\"ename\":" + jsonQuoted(ename) + ",\"evalue\":" + jsonQuoted(evalue) +
         ",\"traceback\":[]}";
}

}  // namespace

Session::StatementPtr Session::statement(std::int64_t id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = statements_.find(id);
  if (found == statements_.end()) return nullptr;
  const auto state = statementState(found->second->state);
  // A final one does not change any more and is shared; others are copied while the lock is held.
  if (state && isFinal(*state)) return found->second;
  const auto row = std::make_shared<StatementRow>(*found->second);
  const auto output = outputs_.find(id);
  if (output == outputs_.end()) return row;
  row->out = output->second->head(HEARTH_STDOUT);
  row->err = output->second->head(HEARTH_STDERR);
  row->displays = output->second->displays();
  return row;
}

std::shared_ptr<StatementOutput> Session::output(std::int64_t id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = outputs_.find(id);
  return found == outputs_.end() ? nullptr : found->second;
}

Session::Standing Session::standing(std::int64_t id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = statements_.find(id);
  return found == statements_.end() ? Standing()
                                    : Standing{found->second->state, found->second->progress};
}

void Session::touchOutput(std::int64_t id) const {
  if (const auto touched = output(id)) touched->touch();
}

void Session::tell(const StatementRow& row) {
  journal_.add("statement", JsonWriter()
                                .beginObject()
                                .key("id")
                                .integer(row.id)
                                .key("kind")
                                .string(row.kind)
                                .key("state")
                                .string(row.state)
                                .key("outcome")
                                .stringOrNull(row.outcome)
                                .endObject()
                                .take());
}

std::int64_t Session::statementCount() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return nextStatement_ - firstStatement_;
}

void Session::submit(std::string code, std::string kind, std::string optionsJson, Submitted done) {
  const auto ticket = refusable(done);
  if (ticket->taken()) return;
  post([code = std::move(code), kind = std::move(kind), options = std::move(optionsJson), ticket,
        done = PendingAnswers::with(ticket, std::move(done))](Session& self) mutable {
    if (!ticket->taken())
      self.accept(std::move(code), kind, std::move(options), ticket, std::move(done));
  });
}

void Session::accept(std::string code, const std::string& kind, std::string optionsJson,
                     const PendingAnswers::TicketPtr& ticket, Submitted done) {
  using Cause = Refusal::Cause;
  const SessionState now = state();
  if (detaching_ || draining_)
    return done(nullptr, Refusal(Cause::stopping, "the server is shutting down"));
  if (ending_ || isFinal(now) || now == SessionState::error)
    return done(nullptr, Refusal(Cause::state, "Session is in state " + std::string(name(now))));
  if (kind.empty() && kind_ == "shared")
    return done(nullptr,
                Refusal(Cause::invalid,
                        "Code type should be specified if session kind is shared: give the "
                        "statement a \"kind\""));
  const std::string canonical = kind.empty() ? kind_ : canonicalKind(kind);
  if (canonical.empty())
    return done(nullptr, Refusal(Cause::invalid, "Invalid kind: " + kind + notServed(kind)));
  const std::size_t waiting = queue_.size() + accepting_;
  if (waiting >= environment_.options.queuedStatements)
    return done(nullptr, Refusal(Cause::limit, std::to_string(waiting) +
                                                   " statements wait in this session already"));
  // A single one of any size that a request can have is always taken.
  if (openBytes_ > 0 && openBytes_ + code.size() > environment_.options.queuedBytes)
    return done(nullptr, Refusal(Cause::limit, "statements of " + std::to_string(openBytes_) +
                                                   " bytes wait in this session already"));
  if (const std::string full = environment_.disk ? environment_.disk->refusal() : std::string();
      !full.empty())
    return done(nullptr, Refusal(Cause::storage, full));
  try {
    bind(canonical);
  } catch (const Refusal& refusal) {
    return done(nullptr, refusal);
  }
  ++accepting_;
  openBytes_ += code.size();
  lastActivity_ = steady_clock::now();
  auto row = std::make_shared<StatementRow>();
  row->session = id_;
  row->kind = canonical;
  row->code = std::move(code);
  row->options = std::move(optionsJson);
  row->state = std::string(name(StatementState::waiting));
  row->submitted = nowMillis();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    row->id = nextStatement_++;
    statements_[row->id] = row;
    outputs_[row->id] = std::make_shared<StatementOutput>(row_.folder + "/output", row->id,
                                                          environment_.options.outputBytes);
  }
  faultPoint("statement.accept.before");
  environment_.store.putStatement(*row, [self = shared_from_this(), row, ticket,
                                         done = std::move(done)](const std::string& error) mutable {
    self->post([row, ticket, done = std::move(done), error](Session& session) {
      session.enqueue(row, error, ticket, done);
    });
  });
}

void Session::enqueue(const std::shared_ptr<StatementRow>& row, const std::string& storeError,
                      const PendingAnswers::TicketPtr& ticket, const Submitted& done) {
  --accepting_;
  if (!storeError.empty()) {
    openBytes_ -= row->code.size();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      statements_.erase(row->id);
      outputs_.erase(row->id);
    }
    return done(nullptr, Refusal(Refusal::Cause::storage, storeError));
  }
  // It may have been cancelled on its way, by one who guessed its number.
  const StatementPtr current = statement(row->id);
  const bool open =
      current && current->state == name(StatementState::waiting) && settling_.count(row->id) == 0;
  if (open) tell(*current);
  if (open && (ending_ || ticket->taken())) {  // or its client was told that it was not taken
    finish(row->id, StatementState::cancelled, "cancelled", std::string());
  } else if (open) {
    queue_.push_back(row->id);
    refreshState();
    pump();
  }
  const StatementPtr now = statement(row->id);
  done(now ? now : row, std::nullopt);  // a final one may have left the memory
}

void Session::pump() {
  if (running_ || ending_) return;
  if (queue_.empty()) {
    refreshState();
    armLifeTimer();
    return;
  }
  const std::int64_t next = queue_.front();
  std::string kind;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    kind = statements_.at(next)->kind;
  }
  Slot& needed = slot(kind);
  if (needed.phase == Phase::none) return ensure(needed);  // comes back when ready or failed
  if (needed.phase != Phase::ready || needed.losing) return;
  queue_.pop_front();
  run(next);
}

// For where pump() would come back to itself: a long queue of statements that are refused at once
// must not become a deep stack.
void Session::pumpSoon() {
  post([](Session& self) { self.pump(); });
}

// It is given to its interpreter once the store says that it runs: a next run of the host then
// knows of each statement whether its driver may have seen it.
void Session::run(std::int64_t id) {
  faultPoint("statement.run.before");
  running_ = id;
  given_ = false;
  const auto row = std::make_shared<StatementRow>(*statement(id));
  runningKind_ = row->kind;
  row->state = std::string(name(StatementState::running));
  row->started = nowMillis();
  refreshState();
  environment_.store.putStatement(row, [self = shared_from_this(), row](const std::string& error) {
    self->post([row, error](Session& session) { session.give(row, error); });
  });
}

void Session::give(const std::shared_ptr<StatementRow>& row, const std::string& storeError) {
  if (running_ != row->id || given_) return;
  const StatementPtr now = statement(row->id);
  if (!now || now->state != name(StatementState::waiting) || settling_.count(row->id) != 0) {
    running_.reset();  // cancelled on its way
    return pump();
  }
  if (!storeError.empty()) {
    running_.reset();
    finish(row->id, StatementState::available, "error",
           errorBundle("Error", "it was not run, as that could not be stored: " + storeError));
    return pumpSoon();
  }
  Slot& at = slot(runningKind_);
  if (at.phase != Phase::ready || at.losing) {
    running_.reset();
    queue_.push_front(row->id);
    return pump();
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    StatementRow& held = *statements_.at(row->id);
    held.state = row->state;
    held.started = row->started;
  }
  given_ = true;
  if (recovery_.interpreters.count(runningKind_) != 0) output(row->id)->keep();
  touchOutput(row->id);
  tell(*row);
  try {
    at.interpreter->execute(toPlugin(row->id), row->code, row->options);
    faultPoint("statement.run.after");
  } catch (const PluginError& error) {
    running_.reset();
    finish(row->id, StatementState::available, "error", errorBundle("Error", error.what()));
    pumpSoon();
  }
}

void Session::onOutput(Interpreter&, std::uint64_t statement, int stream, std::string text,
                       std::uint64_t frame) {
  if (const auto to = output(fromPlugin(statement))) to->append(stream, text, frame);
}

void Session::onDisplayChange(Interpreter&, std::uint64_t statement, std::uint64_t index,
                              std::string bundle, std::uint64_t frame) {
  if (const auto to = output(fromPlugin(statement))) to->changeDisplay(index, bundle, frame);
}

void Session::onDisplay(Interpreter&, std::uint64_t statement, std::string bundle,
                        std::uint64_t frame) {
  if (const auto to = output(fromPlugin(statement))) to->display(bundle, frame);
}

void Session::onProgress(Interpreter&, std::uint64_t statement, double fraction) {
  const std::int64_t id = fromPlugin(statement);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = statements_.find(id);
    if (found == statements_.end() || found->second->progress == fraction) return;
    found->second->progress = fraction;
  }
  touchOutput(id);
}

void Session::onDone(Interpreter& interpreter, std::uint64_t number, std::int32_t outcome,
                     std::string bundle) {
  const std::int64_t id = fromPlugin(number);
  if (detaching_ || givenUp_) return;  // the next run of the host is told, or all was said
  const StatementPtr row = statement(id);
  if (!row || running_ != id) {
    hearth::host::log().warn("session {}: {} ended statement {}, which does not run", id_,
                             interpreter.pluginName(), id);
    return;
  }
  running_.reset();
  graceTimer_.reset();
  lastActivity_ = steady_clock::now();
  const bool cancelling = row->state == name(StatementState::cancelling);
  switch (outcome) {
    case HEARTH_DONE_OK:
      finish(id, StatementState::available, "ok", bundle.empty() ? "{}" : std::move(bundle));
      break;
    case HEARTH_DONE_CANCELLED:
      // Also where nobody asked: code may interrupt itself.
      if (cancelling)
        finish(id, StatementState::cancelled, "cancelled",
               saysNothing(bundle) ? std::string() : std::move(bundle));
      else
        finish(id, StatementState::available, "error",
               saysNothing(bundle) ? errorBundle("KeyboardInterrupt", "interrupted")
                                   : std::move(bundle));
      break;
    case HEARTH_DONE_INCOMPLETE:
      finish(
          id, StatementState::available, "error",
          saysNothing(bundle) ? errorBundle("Error", "incomplete statement") : std::move(bundle));
      break;
    case HEARTH_DONE_LOST: {
      // Said by the plugin while its slot closes, or by release() once the slot has let go of it.
      Slot* const of = slotOf(interpreter);
      if (of) expectEnd(*of);
      const std::string& why = of ? of->failure : lossReason_;
      if (cancelling || (ending_ && why.empty()))
        finish(id, StatementState::cancelled, "cancelled",
               cancelling && !why.empty() ? errorBundle("Cancelled", why) : std::string());
      else
        finish(
            id, StatementState::available, "error",
            saysNothing(bundle)
                ? errorBundle("Error", "Interpreter died:\n" +
                                           (why.empty() ? row->kind + " interpreter ended" : why))
                : std::move(bundle));
      return pumpSoon();
    }
    default:
      finish(
          id, StatementState::available, "error",
          saysNothing(bundle) ? errorBundle("Error", "the statement failed") : std::move(bundle));
  }
  pump();
}

void Session::finish(std::int64_t id, StatementState next, const std::string& outcome,
                     std::string bundle, std::function<void()> then) {
  const StatementPtr row = statement(id);
  const auto now = statementState(row->state);
  if (!now || !mayFollow(*now, next) || settling_.count(id) != 0) {
    hearth::host::log().error("session {}: statement {} cannot go from {} to {}", id_, id,
                              row->state, name(next));
    return;
  }
  const auto final = std::make_shared<StatementRow>(*row);
  final->outcome = outcome;
  final->bundle = std::move(bundle);
  final->progress = 1.0;
  final->completed = nowMillis();
  final->state = std::string(name(next));
  openBytes_ -= final->code.size();
  settling_.insert(id);
  faultPoint("statement.finish.before");
  environment_.store.putStatement(final, [self = shared_from_this(), final, then = std::move(then)](
                                             const std::string& error) mutable {
    self->post([final, error, then = std::move(then)](Session& session) {
      session.settle(final, error);
      if (then) then();
    });
  });
}

// Nobody sees a result before it is durable: what a client was told is true after a crash too.
void Session::settle(const std::shared_ptr<StatementRow>& final, const std::string& storeError) {
  settling_.erase(final->id);
  std::shared_ptr<StatementOutput> shown;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    statements_[final->id] = final;
    if (auto output = outputs_.extract(final->id)) shown = std::move(output.mapped());
  }
  if (shown) shown->close();
  if (shown && storeError.empty()) shown->letGo();
  tell(*final);
  faultPoint("statement.finish.after");
  if (storeError.empty()) {
    finished_.push_back(final->id);
    finishedBytes_.add(sizeOf(*final));
  } else {
    // It stays in memory, where clients can still fetch it.
    hearth::host::log().error("session {}: the result of statement {} was not stored: {}", id_,
                              final->id, storeError);
  }
  // First, so that who is told that a statement is over finds the session idle.
  if (resting()) {
    refreshState();
    armLifeTimer();
    tellRest();
  }
  wake(final->id);
  evict();
  trim();
}

// The oldest go where there are too many, but none that is open, and a few at a time.
void Session::trim() {
  constexpr std::int64_t atOnce = 64;
  if (environment_.options.keptStatements == 0) return;
  std::int64_t first = 0;
  std::int64_t below = 0;
  std::string folder;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    first = firstStatement_;
    below = std::min(nextStatement_ - environment_.options.keptStatements, first + atOnce);
    if (!outputs_.empty()) below = std::min(below, outputs_.begin()->first);
    if (below <= first) return;
    firstStatement_ = below;
    folder = row_.folder + "/output";
    for (auto old = statements_.begin(); old != statements_.end() && old->first < below;) {
      const auto known = std::find(finished_.begin(), finished_.end(), old->first);
      if (known != finished_.end()) {
        finishedBytes_.remove(sizeOf(*old->second));
        finished_.erase(known);
      }
      old = statements_.erase(old);
    }
  }
  for (std::int64_t id = first; id < below; ++id) StatementOutput::removeFiles(folder, id);
  environment_.store.removeStatements(id_, below, nullptr);
}

void Session::evict() {
  while (finished_.size() > environment_.options.cachedStatements ||
         (finished_.size() > 1 && (finishedBytes_.bytes() > environment_.options.cachedBytes ||
                                   finishedBytes_.budgetIsOver()))) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto oldest = statements_.find(finished_.front());
    finished_.pop_front();
    if (oldest == statements_.end()) continue;
    const StatementRow& row = *oldest->second;
    finishedBytes_.remove(sizeOf(row));
    statements_.erase(oldest);
  }
}

void Session::cancel(std::int64_t id, std::function<void(bool)> done) {
  const auto ticket = refusable(done);
  post([id, done = PendingAnswers::with(ticket, std::move(done))](Session& self) {
    self.cancelNow(id, done);
  });
}

void Session::interrupt(std::function<void(bool)> done) {
  const auto ticket = refusable(done);
  post([done = PendingAnswers::with(ticket, std::move(done))](Session& self) {
    if (!self.running_) return done(false);
    self.cancelNow(*self.running_, done);
  });
}

void Session::cancelNow(std::int64_t id, const std::function<void(bool)>& done) {
  const StatementPtr row = statement(id);
  if (!row || ending_ || settling_.count(id) != 0) return done(false);
  lastActivity_ = steady_clock::now();
  if (row->state == name(StatementState::waiting)) {
    queue_.erase(std::remove(queue_.begin(), queue_.end(), id), queue_.end());
    finish(id, StatementState::cancelled, "cancelled", std::string(), [done] { done(true); });
    return pump();
  }
  // What is promised is kept also by the next run of the host.
  const auto promise = [self = shared_from_this(), done](const std::string&) {
    self->post([done](Session&) { done(true); });
  };
  if (row->state == name(StatementState::cancelling)) return environment_.store.barrier(promise);
  if (row->state != name(StatementState::running)) return done(false);
  faultPoint("statement.cancel.before");
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    statements_.at(id)->state = std::string(name(StatementState::cancelling));
  }
  touchOutput(id);
  const StatementPtr stopping = statement(id);
  environment_.store.putStatement(stopping, promise);
  tell(*stopping);
  if (given_) stopRunning(id);  // else its interpreter is being taken up, and is told then
}

// Interrupts the code, and gives it its time to stop.
void Session::stopRunning(std::int64_t id) {
  graceTimer_ = std::make_unique<Timer>(strand_, environment_.options.cancelGrace,
                                        [weak = weak_from_this(), id] {
                                          if (const auto self = weak.lock()) self->graceOver(id);
                                        });
  try {
    slot(runningKind_).interpreter->interrupt(toPlugin(id));
  } catch (const PluginError& error) {
    noteInLog("statement " + std::to_string(id) + " cannot be interrupted: " + error.what());
  }
}

// The code did not stop. It stays `cancelling`, which is true, until its interpreter is gone.
void Session::graceOver(std::int64_t id) {
  if (running_ != id || ending_) return;
  const std::string seconds = std::to_string(environment_.options.cancelGrace.count() / 1000);
  if (!environment_.options.restartAfterGrace) {
    noteInLog("statement " + std::to_string(id) + " did not stop within " + seconds +
              " s of its cancel and still runs");
    return;
  }
  Slot& stuck = slot(runningKind_);
  // A leader takes all that live in its driver with it.
  const bool whole = !stuck.instance || stuck.instance->entry->leader.empty();
  stuck.failure = "the code did not stop within " + seconds + " s: the " + stuck.kind +
                  " interpreter was restarted and its variables are lost" +
                  (whole && slots_.size() > 1
                       ? ", with its driver and what the session's other languages had there"
                       : "");
  noteInLog("statement " + std::to_string(id) + ": " + stuck.failure);
  retire(stuck, HEARTH_CLOSE_KILL);
}

}  // namespace hearth::host
