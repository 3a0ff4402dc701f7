// Session: its life, from start to end. Statements are in SessionStatements.cpp, interpreters in
// SessionInterpreters.cpp, what spans runs of the host in SessionRecovery.cpp.
#include "session/Session.h"

#include <algorithm>
#include <filesystem>

#include "session/SessionPost.h"
#include "support/FaultPoint.h"
#include "support/JsonWriter.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

Session::Session(SessionEnvironment& environment, SessionRow row, CreateRequest request,
                 Ended ended)
    : environment_(environment),
      id_(row.id),
      request_(std::move(request)),
      kind_(row.kind),
      strand_(environment.loop.strand()),
      recovery_(RecoveryRecord::parse(row.recovery)),
      work_(row.folder + "/" + (recovery_.work.empty() ? "work" : recovery_.work)),
      log_(std::make_shared<LogFile>(row.folder + "/session.log")),
      ended_(std::move(ended)),
      row_(std::move(row)),
      finishedBytes_(environment.cache),
      lifeTimer_(strand_),
      started_(steady_clock::now()),
      lastActivity_(started_),
      lastHeartbeat_(started_.time_since_epoch().count()) {
  idleTime_ = request_.idleTimeout.empty() ? environment_.options.idleTime
                                           : parseDuration(request_.idleTimeout);
  if (idleTime_ && idleTime_->count() == 0) idleTime_.reset();
  if (!request_.ttl.empty()) ttl_ = parseDuration(request_.ttl);
  if (ttl_ && ttl_->count() == 0) ttl_.reset();
  if (request_.heartbeatTimeoutInSecond > 0)
    heartbeatTime_ = std::chrono::seconds(request_.heartbeatTimeoutInSecond);
  if (recovery_.work.empty()) recovery_.work = "work";
}

Session::~Session() = default;

void Session::check(Checked done) {
  makeLink();
  const auto ticket = refusable(done);
  post([ticket, done = PendingAnswers::with(ticket, std::move(done))](Session& self) {
    if (!ticket->taken()) self.checkNow(done);
  });
}

void Session::abandon() {
  post([](Session& self) {
    self.ending_ = true;
    for (auto& entry : self.slots_) self.retire(entry.second, HEARTH_CLOSE_KILL);
    self.holds_.clear();
  });
}

void Session::start() {
  post([](Session& self) {
    if (self.ending_) return;
    self.armLifeTimer();
    self.ensure(self.slot(self.mainKind()));
  });
}

SessionRow Session::row() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  SessionRow row = row_;
  if (!isFinal(state_))
    if (std::string hangs = pending_.why(); !hangs.empty()) row.reason = std::move(hangs);
  return row;
}

SessionState Session::state() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

bool Session::ended() const {
  return isFinal(state());
}

void Session::heartbeat() {
  lastHeartbeat_.store(steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

void Session::touch() {
  post([](Session& self) { self.lastActivity_ = steady_clock::now(); });
}

void Session::setState(SessionState next, const std::string& reason) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == next) return;
    faultPoint("session.state.before");
    if (!mayFollow(state_, next)) {
      hearth::host::log().error("session {}: no step leads from {} to {}", id_, name(state_),
                                name(next));
      return;
    }
    state_ = next;
    row_.state = std::string(name(next));
    row_.reason = reason;
    row_.stateSince = nowMillis();
  }
  hearth::host::log().info("session {}: {}{}{}", id_, name(next), reason.empty() ? "" : ": ",
                           reason);
  // The end is told by the journal's own.
  if (!isFinal(next))
    journal_.add("state", JsonWriter()
                              .beginObject()
                              .key("state")
                              .string(name(next))
                              .key("reason")
                              .stringOrNull(reason)
                              .key("since")
                              .stringOrNull(isoTime(row().stateSince))
                              .endObject()
                              .take());
  faultPoint("session.state.after");
  if (isSettled(next)) wake(-1);
}

FolderWatch::Handle Session::followLog(FolderWatch& folders) {
  const std::lock_guard<std::mutex> lock(mutex_);
  FolderWatch::Handle watch = logWatch_.lock();
  if (!watch) {
    watch = folders.watch(row_.folder, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->journal_.touch();
    });
    logWatch_ = watch;
  }
  return watch;
}

void Session::refreshState() {
  if (ending_ || !settledOnce_) return;
  setState(resting() ? SessionState::idle : SessionState::busy, std::string());
}

void Session::saveRow(Store::Done done) {
  if (givenUp_) {  // its last row is written
    if (done) done(std::string());
    return;
  }
  environment_.store.putSession(
      row(), [id = id_, done = std::move(done)](const std::string& error) {
        if (!error.empty())
          hearth::host::log().error("session {}: its row was not stored: {}", id, error);
        if (done) done(error);
      });
}

void Session::noteInLog(const std::string& text) {
  log_->append("hearth: " + text);
}

void Session::end(SessionState finalState, std::string reason, bool deleted,
                  std::function<void()> done) {
  // Weak: what waits for the end is kept by the session itself.
  const auto ticket = pending_.add(
      [weak = weak_from_this(), finalState, reason, deleted, done](const std::string& why) {
        if (const auto self = weak.lock())
          self->giveUp(finalState, reason + ", and " + why, deleted, done);
      });
  if (ticket->taken()) return;
  post([finalState, reason = std::move(reason), deleted, done = std::move(done),
        ticket](Session& self) mutable {
    self.endNow(finalState, reason, deleted, [ticket, done = std::move(done)] {
      if (ticket->take() && done) done();
    });
  });
}

void Session::endNow(SessionState finalState, const std::string& reason, bool deleted,
                     std::function<void()> done) {
  if (deleted) deleteAtEnd_ = true;
  if (ended()) {
    // Too late for finishEnd, too early for the manager to have forgotten it.
    hideIfDeleted();
    saveRow([done](const std::string&) {
      if (done) done();
    });
    return;
  }
  if (givenUp_) return;  // who asked has been answered, and what is kept here nobody would call
  if (done) endCallbacks_.push_back(std::move(done));
  if (ending_) return;
  ending_ = true;
  endingSince_ = steady_clock::now();
  verdictTimer_.reset();
  finalState_ = finalState;
  tellRest();
  setState(SessionState::shuttingDown, reason);
  noteInLog("session ends: " + reason);
  lifeTimer_.cancel();
  graceTimer_.reset();
  for (const std::int64_t statement : std::exchange(queue_, {}))
    finish(statement, StatementState::cancelled, "cancelled", std::string());
  if (running_ && !given_) loseRunning(reason);
  refuseQuestions();
  for (auto& entry : slots_)
    retire(entry.second,
           finalState == SessionState::killed ? HEARTH_CLOSE_KILL : HEARTH_CLOSE_GRACEFUL);
  finishEnd();
}

void Session::drain(std::function<void()> rested) {
  if (!pending_.why().empty()) return rested();  // nothing of it can be waited for
  post([rested = std::move(rested)](Session& self) mutable {
    self.draining_ = true;
    self.restCallbacks_.push_back(std::move(rested));
    if (self.ending_ || (self.resting() && self.accepting_ == 0)) self.tellRest();
  });
}

void Session::tellRest() {
  for (const auto& rested : std::exchange(restCallbacks_, {})) rested();
}

void Session::finishEnd() {
  for (const auto& entry : slots_)
    if (entry.second.phase != Phase::none) return;
  if (detaching_) return finishDetach();
  if (!applicationsGone()) return;  // comes back when they are
  if (givenUp_ || std::exchange(endStored_, true)) return;
  faultPoint("session.end.before");
  std::error_code ignored;
  fs::remove_all(work_, ignored);
  hideIfDeleted();
  SessionRow last = row();
  last.ended = nowMillis();
  last.state = std::string(name(finalState_));
  last.recovery.clear();
  // After the ends of its statements, which are on their way there already.
  environment_.store.putSession(
      last, [self = shared_from_this(), ended = last.ended](const std::string& error) {
        if (!error.empty())
          hearth::host::log().error("session {}: its end was not stored: {}", self->id_, error);
        self->post([ended](Session& session) { session.tellEnd(ended); });
      });
}

void Session::tellEnd(std::int64_t endedAt) {
  if (givenUp_) return endCallbacks_.clear();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    row_.ended = endedAt;
  }
  // The reason why it ended is the one of shutting_down.
  setState(finalState_, row().reason);
  faultPoint("session.end.after");
  journal_.close();
  for (const auto& waiter : std::exchange(waiters_, {})) answer(*waiter);
  const auto forget = [](Session& session) {
    // First, so that who is told of the end can have its name or its place.
    session.holds_.clear();
    for (auto& entry : session.slots_) entry.second.instance.reset();
    session.ended_(session);
    for (const auto& done : std::exchange(session.endCallbacks_, {})) done();
  };
  if (!deleteAtEnd_ || row().deleted) return forget(*this);
  hideIfDeleted();  // asked for while its last row was on its way
  saveRow([self = shared_from_this(), forget](const std::string&) { self->post(forget); });
}

void Session::hideIfDeleted() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (deleteAtEnd_) row_.deleted = true;
}

void Session::waitState(Wait wait) {
  post([wait = refusable(std::move(wait))](Session& self) mutable {
    if (isSettled(self.state())) return wait.done();
    self.addWaiter(-1, std::move(wait));
  });
}

void Session::waitStatement(std::int64_t statement, Wait wait) {
  post([statement, wait = refusable(std::move(wait))](Session& self) mutable {
    const StatementPtr found = self.statement(statement);
    if (!found || self.ended()) return wait.done();
    const auto state = statementState(found->state);
    if (!state || isFinal(*state)) return wait.done();
    self.addWaiter(statement, std::move(wait));
  });
}

void Session::addWaiter(std::int64_t statement, Wait wait) {
  // Nobody tells when a client hangs up, and its request would be kept until its time is over:
  // looking through them each time they have doubled keeps their number in proportion to those who
  // do wait.
  if (waiters_.size() >= sweepAt_) {
    waiters_.erase(std::remove_if(waiters_.begin(), waiters_.end(),
                                  [](const auto& waiter) { return waiter->wait.abandoned(); }),
                   waiters_.end());
    sweepAt_ = std::max<std::size_t>(64, 2 * waiters_.size());
  }
  auto waiter = std::make_shared<Waiter>();
  waiter->statement = statement;
  const auto time = wait.time;
  waiter->wait = std::move(wait);
  waiter->timer = std::make_unique<Timer>(
      strand_, time, [weakSelf = weak_from_this(), weak = std::weak_ptr<Waiter>(waiter)] {
        const auto self = weakSelf.lock();
        const auto over = weak.lock();
        if (!self || !over) return;
        auto& all = self->waiters_;
        const auto found = std::find(all.begin(), all.end(), over);
        if (found == all.end()) return;
        all.erase(found);
        self->answer(*over);
      });
  waiters_.push_back(std::move(waiter));
}

void Session::wake(std::int64_t statement) {
  const auto first = std::stable_partition(
      waiters_.begin(), waiters_.end(),
      [statement](const auto& waiter) { return waiter->statement != statement; });
  const std::vector<std::shared_ptr<Waiter>> due(first, waiters_.end());
  waiters_.erase(first, waiters_.end());
  for (const auto& waiter : due) answer(*waiter);
}

// Who has waited until now is alive: without this a short heartbeat would end the session under a
// client that has just been given its result.
void Session::answer(Waiter& waiter) {
  waiter.timer->cancel();
  if (!waiter.wait.abandoned()) heartbeat();
  waiter.wait.done();
}

// Looks at the clock only when something could be over: nothing polls.
void Session::armLifeTimer() {
  std::optional<steady_clock::time_point> next;
  const auto consider = [&](steady_clock::time_point due) {
    if (!next || due < *next) next = due;
  };
  const bool usable = settledOnce_ && resting();
  // A busy session is never ended by a clock; when it comes to rest this runs again.
  if (ending_ || (settledOnce_ && !usable)) return;
  if (ttl_ && usable) consider(started_ + *ttl_);
  if (idleTime_ && usable) consider(lastActivity_ + *idleTime_);
  if (heartbeatTime_ && usable)
    consider(steady_clock::time_point(steady_clock::duration(lastHeartbeat_.load())) +
             *heartbeatTime_);
  if (!next) return;
  lifeTimer_.startAt(*next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->checkLife();
  });
}

void Session::checkLife() {
  if (ending_ || !settledOnce_ || !resting()) return;
  const auto now = steady_clock::now();
  const auto seconds = [](milliseconds time) { return std::to_string(time.count() / 1000) + " s"; };
  std::string reason;
  const steady_clock::time_point heard{steady_clock::duration(lastHeartbeat_.load())};
  if (heartbeatTime_ && now >= heard + *heartbeatTime_)
    reason = "no heartbeat from a client for " + seconds(*heartbeatTime_);
  else if (ttl_ && now >= started_ + *ttl_)
    reason = "its time to live of " + seconds(*ttl_) + " is over";
  else if (idleTime_ && now >= lastActivity_ + *idleTime_)
    reason = "idle for " + seconds(*idleTime_);
  if (reason.empty()) return armLifeTimer();
  endNow(SessionState::dead, reason, true, nullptr);
}

}  // namespace hearth::host
