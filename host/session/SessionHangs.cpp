// Session: while a call of its plugin's does not return, its strand cannot do anything. Clients are
// answered without it, and one that is to end is let go of; what is left is done when the call
// comes back, if it does.
#include <algorithm>
#include <utility>

#include "session/Session.h"
#include "session/SessionPost.h"
#include "support/JsonWriter.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

namespace {

Refusal hangs(const std::string& why) {
  return {Refusal::Cause::plugin, why};
}

}  // namespace

std::string Session::hanging() const {
  return pending_.why();
}

void Session::callHangs(const std::string& why) {
  noteInLog(why.empty() ? "the plugin's call has returned" : why);
  pending_.hang(why);
  if (!why.empty()) journal_.touch();
}

PendingAnswers::TicketPtr Session::refusable(Submitted done) {
  return pending_.add(
      [done = std::move(done)](const std::string& why) { done(nullptr, hangs(why)); });
}

PendingAnswers::TicketPtr Session::refusable(Answered done) {
  return pending_.add([done = std::move(done)](const std::string& why) { done({}, hangs(why)); });
}

PendingAnswers::TicketPtr Session::refusable(Completed done) {
  return pending_.add([done = std::move(done)](const std::string& why) { done({}, hangs(why)); });
}

PendingAnswers::TicketPtr Session::refusable(Checked done) {
  return pending_.add([done = std::move(done)](const std::string& why) { done(hangs(why)); });
}

PendingAnswers::TicketPtr Session::refusable(std::function<void(bool)> done) {
  return pending_.add([done = std::move(done)](const std::string&) { done(false); });
}

// Who waits already is answered when the call turns out to hang, as that is news; who comes later
// gets the time asked for.
Session::Wait Session::refusable(Wait wait) {
  const bool late = !pending_.why().empty();
  const auto ticket = pending_.add([done = wait.done](const std::string&) { done(); }, late);
  wait.done = [ticket, done = std::move(wait.done)] {
    if (ticket->take()) done();
  };
  if (!late) return wait;
  // A timer of the session's would wait for the strand too.
  afterwards(environment_.loop.strand(), wait.time, wait.done);
  return wait;
}

void Session::killProcesses() {
  std::vector<std::weak_ptr<Process>> all;
  {
    const std::lock_guard<std::mutex> lock(processes_->mutex);
    all.swap(processes_->all);
  }
  for (const auto& weak : all)
    if (const auto process = weak.lock()) process->signal(SIGKILL);
}

bool Session::letGoWhileHanging() {
  if (givenUp_.exchange(true)) return false;
  // Runs when the call returns, before anything else gets to the plugin.
  post([](Session& self) { self.leave(); });
  return true;
}

void Session::giveUp(SessionState finalState, const std::string& reason, bool deleted,
                     std::function<void()> done) {
  if (!letGoWhileHanging()) {
    if (deleted) {
      const std::lock_guard<std::mutex> lock(mutex_);
      row_.deleted = true;
    }
    environment_.store.putSession(row(), [done](const std::string&) {
      if (done) done();
    });
    return;
  }
  hearth::host::log().error("session {}: given up: {}", id_, reason);
  noteInLog("session is given up: " + reason);
  killProcesses();
  std::vector<std::shared_ptr<StatementRow>> ended;
  std::vector<std::shared_ptr<StatementOutput>> outputs;
  SessionRow last;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [number, held] : statements_) {
      const auto state = statementState(held->state);
      if (state && isFinal(*state)) continue;
      const auto row = std::make_shared<StatementRow>(*held);
      const bool ran = row->state != name(StatementState::waiting);
      row->state = std::string(name(ran ? StatementState::available : StatementState::cancelled));
      row->outcome = ran ? "error" : "cancelled";
      if (ran)
        row->bundle = R"({"ename":"Error","evalue":)" + jsonQuoted("Interpreter died:\n" + reason) +
                      R"(,"traceback":[]})";
      row->progress = 1.0;
      row->completed = nowMillis();
      if (const auto output = outputs_.find(number); output != outputs_.end()) {
        row->out = output->second->head(HEARTH_STDOUT);
        row->err = output->second->head(HEARTH_STDERR);
        row->displays = output->second->displays();
        outputs.push_back(output->second);
      }
      held = row;
      ended.push_back(row);
    }
    outputs_.clear();
    state_ = finalState;
    row_.state = std::string(name(finalState));
    row_.reason = reason;
    row_.stateSince = row_.ended = nowMillis();
    row_.recovery.clear();
    row_.deleted = row_.deleted || deleted;
    last = row_;
  }
  for (const auto& row : ended) environment_.store.putStatement(row, nullptr);
  for (const auto& output : outputs) output->close();
  journal_.close();
  environment_.store.putSession(
      last, [self = shared_from_this(), done = std::move(done)](const std::string& error) {
        if (!error.empty())
          hearth::host::log().error("session {}: its end was not stored: {}", self->id_, error);
        self->ended_(*self);
        if (done) done();
      });
}

void Session::leave() {
  ending_ = detaching_ = endStored_ = true;
  lifeTimer_.cancel();
  graceTimer_.reset();
  verdictTimer_.reset();
  clusterTimer_.reset();
  queue_.clear();
  waiters_.clear();
  endCallbacks_.clear();
  for (const bool followers : {true, false})
    for (auto& entry : slots_) {
      Slot& left = entry.second;
      left.timer.reset();
      left.application.reset();
      if (!left.interpreter || !left.instance) continue;
      if (followers && left.instance->entry->leader.empty()) continue;
      left.phase = Phase::closing;
      left.interpreter->close(HEARTH_CLOSE_KILL);
      left.interpreter->killProcesses();
      left.interpreter->release();
      left.interpreter.reset();
      left.phase = Phase::none;
    }
}

}  // namespace hearth::host
