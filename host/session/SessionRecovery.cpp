// Session: across runs of the host. What its plugins have saved is kept with its row; the next run
// opens their interpreters with it, and the drivers, which have lived on, come back to them.
#include <filesystem>
#include <stdexcept>

#include "session/Session.h"
#include "session/SessionPost.h"
#include "support/JsonWriter.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr std::uint16_t leaderChannel = 1;
// So many channels, and so many requests, are for each run: what comes late of an earlier one must
// not be taken for an answer.
constexpr std::uint32_t channelsOfRun = 256;
constexpr std::uint32_t runsApart = 250;
constexpr int requestsOfRun = 40;  // bits

std::string lostBundle(const std::string& reason) {
  return "{\"ename\":\"Error\",\"evalue\":" + jsonQuoted("Interpreter died:\n" + reason) +
         ",\"traceback\":[]}";
}

}  // namespace

void Session::makeLink() {
  link_ = std::make_shared<DriverLink>(
      environment_.plugins.links(), strand_, std::to_string(id_), work_,
      [weak = weak_from_this()](std::function<void(bool)> committed) {
        if (const auto self = weak.lock())
          self->environment_.store.barrier(
              [committed = std::move(committed)](const std::string& error) {
                committed(error.empty());
              });
      });
  link_->numberFrom(static_cast<std::uint16_t>(2 + (recovery_.run % runsApart) * channelsOfRun));
}

bool Session::isRecoverable() const {
  return recovery_.interpreters.count(mainKind()) != 0 ||
         (recovery_.interpreters.empty() && !settledOnce_);
}

void Session::keepRecord() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    row_.recovery = recovery_.json();
  }
  saveRow(nullptr);
}

void Session::forgetRecord(const std::string& kind) {
  if (recovery_.interpreters.erase(kind) != 0) keepRecord();
}

std::string Session::startedAnew() const {
  const auto& crash = environment_.lastCrash;
  return crash ? "the host was started anew after " + crash->text : "the host was started anew";
}

void Session::takeUp(std::vector<StatementRow> open, const StatementSpan& all) {
  const SessionState before = sessionState(row_.state).value_or(SessionState::idle);
  const bool launched = !recovery_.interpreters.empty();
  if (!launched && before != SessionState::starting && before != SessionState::notStarted)
    throw std::runtime_error("its plugin does not keep sessions across a restart of the host");
  ++recovery_.run;
  nextRequest_ = (std::uint64_t{recovery_.run} << requestsOfRun) + 1;
  if (!launched) {
    // One that an earlier run had begun to start, and that nobody knows of, finds its folder gone.
    std::error_code ignored;
    fs::remove_all(work_, ignored);
    recovery_.work = "work-" + std::to_string(recovery_.run);
    work_ = row_.folder + "/" + recovery_.work;
  }
  makeLink();
  for (const auto& entry : recovery_.interpreters)
    if (entry.second.channel == leaderChannel) link_->resume();
  // The clock of its life runs on; that of its idleness begins anew.
  started_ -= milliseconds(std::max<std::int64_t>(0, nowMillis() - row_.created));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    state_ = launched ? SessionState::recovering : SessionState::starting;
    row_.state = std::string(name(state_));
    row_.reason = startedAnew();
    row_.stateSince = nowMillis();
    row_.recovery = recovery_.json();
  }
  loadStatements(std::move(open), all);
  hearth::host::log().info("session {}: {}: {}", id_, name(state_), row_.reason);
  noteInLog(row_.reason);
  // No channel is opened before its number cannot be given again.
  saveRow([self = shared_from_this(), launched, before](const std::string&) {
    self->post([launched, before](Session& session) { session.recoverNow(launched, before); });
  });
}

void Session::loadStatements(std::vector<StatementRow> open, const StatementSpan& all) {
  std::vector<std::int64_t> inDoubt;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    firstStatement_ = all.first;
    nextStatement_ = all.end;
    for (StatementRow& loaded : open) {
      const auto row = std::make_shared<StatementRow>(std::move(loaded));
      const auto output = std::make_shared<StatementOutput>(row_.folder + "/output", row->id,
                                                            environment_.options.outputBytes);
      openBytes_ += row->code.size();
      statements_[row->id] = row;
      outputs_[row->id] = output;
      if (row->state == name(StatementState::waiting)) {
        queue_.push_back(row->id);
        continue;
      }
      output->keep();
      if (running_) inDoubt.push_back(*running_);
      running_ = row->id;
      runningKind_ = row->kind;
    }
  }
  for (const std::int64_t id : inDoubt)  // never: one runs at a time
    finish(id, StatementState::available, "error", lostBundle("another statement ran beside it"));
}

void Session::recoverNow(bool launched, SessionState before) {
  if (ending_) return;
  if (!launched) {
    armLifeTimer();
    return ensure(slot(mainKind()));
  }
  for (const auto& entry : recovery_.interpreters) takingUp_.insert(entry.first);
  const std::set<std::string> kinds = takingUp_;
  for (const std::string& kind : kinds) {
    Slot& kept = slot(kind);
    const RecoverableInterpreter was = recovery_.interpreters.at(kind);
    if (kept.instance && was.plugin == kept.instance->entry->descriptor.id &&
        was.version != kept.instance->entry->descriptor.version)
      noteInLog("the " + kind + " interpreter, started by " + was.plugin + " " + was.version +
                ", is taken up by " + was.plugin + " " + kept.instance->entry->descriptor.version);
    const std::string maker = was.plugin.empty()
                                  ? std::string()
                                  : "; it was started by plugin " + was.plugin + " " + was.version;
    if (!kept.instance) {
      startFailed(kept,
                  "no plugin serves the kind " + kind + " any more" + notServed(kind) + maker);
    } else if (const Descriptor& now = kept.instance->entry->descriptor;
               !was.plugin.empty() && was.plugin != now.id) {
      startFailed(kept, "the kind " + kind + " is served by plugin " + now.id +
                            " now, which cannot take up the session" + maker);
    } else if (kept.instance->entry->leader.empty()) {
      openAndLaunch(kept, std::string());
    }
    if (ending_) return;
  }
  for (const std::string& kind : kinds) {
    if (takingUp_.count(kind) == 0) continue;
    Slot& follower = slot(kind);
    const std::string leader = follower.instance->entry->leader;
    if (!slot(leader).interpreter) {
      startFailed(follower, "the " + leader + " driver was not kept");
      continue;
    }
    follower.phase = Phase::waitingForLeader;
    askLeader(leader);
  }
  if (running_ && !given_ && takingUp_.count(runningKind_) == 0)
    loseRunning("its interpreter did not outlive the host");
  if (before == SessionState::shuttingDown)
    return endNow(SessionState::dead, "its end had begun before the host was started anew", false,
                  nullptr);
  admitDriver();
}

// An interpreter of an earlier run has its plugin's session again.
void Session::launched(Slot& kept) {
  takingUp_.erase(kept.kind);
  if (running_ && !given_ && runningKind_ == kept.kind) resumeRunning(kept);
  if (kept.interpreter) kept.interpreter->takenUp();
  admitDriver();
}

void Session::resumeRunning(Slot& of) {
  const StatementPtr row = statement(*running_);
  // What has ended the host once would end it again.
  const auto& crash = environment_.lastCrash;
  if (crash && crash->session == id_ && crash->plugin == of.instance->entry->instance &&
      crash->statement == static_cast<std::uint64_t>(row->id) + 1)
    return loseRunning("the host crashed while it ran this: " + crash->text);
  try {
    of.interpreter->resume(static_cast<std::uint64_t>(row->id) + 1, row->code, row->options);
    given_ = true;
  } catch (const PluginError& error) {
    return loseRunning(error.what());
  }
  if (row->state == name(StatementState::cancelling)) stopRunning(row->id);
}

// Nobody has it, and nobody will tell of it.
void Session::loseRunning(const std::string& reason) {
  const std::int64_t id = *running_;
  running_.reset();
  const StatementPtr row = statement(id);
  if (row->state == name(StatementState::waiting) || row->state == name(StatementState::cancelling))
    finish(id, StatementState::cancelled, "cancelled", std::string());
  else
    finish(id, StatementState::available, "error", lostBundle(reason));
}

void Session::admitDriver() {
  if (takingUp_.empty() && !ending_) link_->admit();
}

void Session::detach(const std::string& reason) {
  const auto ticket = pending_.add([weak = weak_from_this()](const std::string& why) {
    const auto self = weak.lock();  // which keeps the ticket
    if (!self || !self->letGoWhileHanging()) return;
    hearth::host::log().warn("session {}: left for the next run of the host: {}", self->id_, why);
    self->environment_.store.barrier([self](const std::string&) { self->ended_(*self); });
  });
  if (ticket->taken()) return;
  leaving_ = ticket;
  post([reason](Session& self) { self.detachNow(reason); });
}

void Session::detachNow(const std::string& reason) {
  if (ending_ || ended()) return;
  if (!isRecoverable()) return endNow(SessionState::dead, reason, false, nullptr);
  hearth::host::log().info("session {}: left for the next run of the host: {}", id_, reason);
  noteInLog(reason + "; the session goes on without it");
  detaching_ = ending_ = true;
  lifeTimer_.cancel();
  graceTimer_.reset();
  verdictTimer_.reset();
  refuseQuestions();
  journal_.close();
  for (const auto& waiter : std::exchange(waiters_, {})) answer(*waiter);
  for (auto& entry : slots_) retire(entry.second, HEARTH_CLOSE_DETACH);
  finishEnd();
}

void Session::finishDetach() {
  if (std::exchange(endStored_, true)) return;
  for (auto& entry : slots_) entry.second.application.reset();
  // What it has written is on its way; the store commits it before it closes.
  environment_.store.barrier([self = shared_from_this()](const std::string&) {
    self->post([](Session& session) { session.ended_(session); });
  });
}

}  // namespace hearth::host
