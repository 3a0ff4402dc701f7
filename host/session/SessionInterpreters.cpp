// Session: the interpreters of its kinds, started on first use, joined to their leader, restarted.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <random>

#include "session/Session.h"
#include "session/SessionPost.h"
#include "support/FaultPoint.h"
#include "support/JsonWriter.h"
#include "support/Log.h"

namespace hearth::host {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

// Hard to guess: whoever submits an application could give it any tag.
std::string applicationTag() {
  std::random_device source;
  std::string tag = "hearth-session-";
  for (int i = 0; i < 16; ++i) {
    static constexpr char digits[] = "0123456789abcdef";
    tag += digits[source() & 15];
  }
  return tag;
}

}  // namespace

std::string Session::mainKind() const {
  return kind_ == "shared" ? environment_.options.sharedKind : kind_;
}

// Whether the session cannot be without this interpreter: it is the one of the session's own kind,
// or holds the driver that this one lives in.
bool Session::carriesSession(const Slot& of) {
  if (of.kind == mainKind()) return true;
  const PluginInstancePtr& main = slot(mainKind()).instance;
  return main && main->entry->leader == of.kind;
}

Session::Slot& Session::slot(const std::string& kind) {
  Slot& found = slots_[kind];
  found.kind = kind;
  if (found.instance || ending_) return found;
  found.instance = instanceOf(kind);
  if (!found.instance) return found;
  PluginHost::Hold& hold = holds_[found.instance.get()];
  const std::string& owner = row_.owner;  // never changes
  if (!hold) hold = environment_.plugins.holdAnyway(found.instance, owner);
  bound(found);
  return found;
}

// What the session has begun with comes first: then it is of one make, whatever new sessions get.
PluginInstancePtr Session::instanceOf(const std::string& kind) const {
  for (const auto& entry : slots_)
    if (entry.second.instance && entry.second.instance->entry->canonicalKind(kind) == kind)
      return entry.second.instance;
  return environment_.plugins.forKind(kind);
}

std::string Session::canonicalKind(const std::string& kindOrAlias) const {
  if (const auto own = slots_.find(kindOrAlias); own != slots_.end() && own->second.instance)
    return kindOrAlias;
  std::string kind = environment_.plugins.catalog()->canonicalKind(kindOrAlias);
  for (auto own = slots_.begin(); kind.empty() && own != slots_.end(); ++own)
    if (own->second.instance) kind = own->second.instance->entry->canonicalKind(kindOrAlias);
  return kind;
}

std::string Session::notServed(const std::string& kind) const {
  std::string why = environment_.plugins.catalog()->whyNot(kind);
  if (why.empty() && environment_.crashes) why = environment_.crashes->whyNoKind(kind);
  return why.empty() ? why : " (" + why + ")";
}

void Session::bind(const std::string& kind) {
  Slot& of = slots_[kind];
  of.kind = kind;
  if (of.instance) return;
  const PluginInstancePtr instance = instanceOf(kind);
  if (!instance) throw Refusal(Refusal::Cause::invalid, "Invalid kind: " + kind + notServed(kind));
  const bool first = holds_.count(instance.get()) == 0;
  try {
    if (first) holds_[instance.get()] = environment_.plugins.hold(instance, row_.owner);
    of.instance = instance;
    const std::string& leader = instance->entry->leader;
    if (!leader.empty() && instanceOf(leader)) bind(leader);
  } catch (const std::exception& error) {
    of.instance.reset();
    if (first) holds_.erase(instance.get());
    if (dynamic_cast<const InstanceLimit*>(&error) == nullptr) throw;
    throw Refusal(Refusal::Cause::limit, error.what());
  }
  bound(of);
}

void Session::bound(const Slot& of) {
  const CatalogEntry& plugin = *of.instance->entry;
  hearth::host::log().info("session {}: kind {} is served by {} {}", id_, of.kind, plugin.instance,
                           plugin.descriptor.version);
  if (of.kind != mainKind()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  boost::system::error_code error;
  json::value info =
      row_.info.empty() ? json::value(json::object()) : json::parse(row_.info, error);
  if (error || !info.is_object()) return;
  info.get_object()["plugin"] = plugin.instance + " " + plugin.descriptor.version;
  row_.info = json::serialize(info);
}

Session::Slot* Session::slotOf(const Interpreter& interpreter) {
  for (auto& entry : slots_)
    if (entry.second.interpreter.get() == &interpreter) return &entry.second;
  return nullptr;
}

// Before the session is told of: what its plugin says of the request is the answer to the request.
// What else goes wrong here goes wrong again, and is told, when it starts.
void Session::checkNow(const Checked& done) {
  if (ending_) return done(Refusal(Refusal::Cause::stopping, "the server is shutting down"));
  try {
    bind(mainKind());
  } catch (const Refusal& refusal) {
    // Without a kind it is for statements to say which: then this is the first one's affair.
    if (kind_ != "shared" || refusal.cause() == Refusal::Cause::limit) return done(refusal);
  }
  Slot& main = slot(mainKind());
  if (!main.instance || !main.instance->entry->leader.empty()) return done(std::nullopt);
  try {
    open(main, std::string());
  } catch (const PluginError& error) {
    if (error.code() == HEARTH_E_INVALID)
      return done(Refusal(Refusal::Cause::invalid, error.what()));
  } catch (const std::exception& error) {
    hearth::host::log().warn("session {}: {}", id_, error.what());
  }
  done(std::nullopt);
}

void Session::ensure(Slot& wanted) {
  if (wanted.phase != Phase::none || ending_) return;
  if (!wanted.instance)
    return startFailed(wanted, "no plugin serves the kind " + wanted.kind + notServed(wanted.kind));
  const std::string leader = wanted.instance->entry->leader;
  if (leader.empty()) return openAndLaunch(wanted, std::string());
  wanted.phase = Phase::waitingForLeader;
  Slot& leading = slot(leader);
  if (leading.phase == Phase::ready)
    askLeader(leader);
  else
    ensure(leading);
}

// One question serves all followers that wait.
void Session::askLeader(const std::string& leader) {
  for (const auto& asked : exports_)
    if (asked.second == leader) return;
  const std::uint64_t request = nextRequest_++;
  exports_[request] = leader;
  try {
    slot(leader).interpreter->exportDriver(request);
  } catch (const PluginError& error) {
    exports_.erase(request);
    const std::string reason = error.what();
    for (auto& entry : slots_)
      if (entry.second.phase == Phase::waitingForLeader &&
          entry.second.instance->entry->leader == leader)
        startFailed(entry.second, reason);
  }
}

void Session::open(Slot& opened, const std::string& driverJson) {
  fs::create_directories(work_);
  fs::permissions(work_, fs::perms::owner_all);
  OpenArguments arguments;
  arguments.kind = opened.kind;
  arguments.pluginKind = opened.instance->entry->descriptorKind(opened.kind);
  arguments.user = request_.proxyUser;
  arguments.driverJson = driverJson;
  JsonWriter options;
  options.beginObject();
  options.key("dir").string(work_);
  options.key("name").string(request_.name.value_or(std::string()));
  // A leader that only carries other kinds need not start an interpreter of its own yet.
  options.key("prepare").boolean(opened.kind == kind_);
  const RecoverableInterpreter* const kept =
      takingUp_.count(opened.kind) != 0 ? &recovery_.interpreters.at(opened.kind) : nullptr;
  if (opened.instance->entry->leader.empty()) {
    opened.tag = kept ? kept->tag : applicationTag();
    opened.report.reset();
    options.key("tag").string(opened.tag);
  }
  if (kept) {
    arguments.recoveryBlob = kept->blob;
    arguments.channel = kept->channel;
    arguments.process = kept->process;
  }
  const std::string parameter = PluginCatalog::kindParameter(opened.kind);
  if (!parameter.empty()) options.key("parameter").string(parameter);
  options.key("request").raw(request_.toJson());
  options.endObject();
  arguments.optionsJson = options.take();
  SessionServices services{std::to_string(id_), work_, &environment_.loop, strand_, link_, log_,
                           environment_.watch,  {},    processes_};
  services.callHangs = [weak = weak_from_this()](const std::string& why) {
    if (const auto self = weak.lock()) self->callHangs(why);
  };
  opened.interpreter = Interpreter::open(environment_.plugins, opened.instance, std::move(services),
                                         *this, arguments);
}

void Session::openAndLaunch(Slot& opened, const std::string& driverJson) {
  opened.phase = Phase::launching;
  opened.failure.clear();
  opened.losing = false;
  opened.killed = false;
  try {
    if (!opened.interpreter) open(opened, driverJson);
    opened.interpreter->launch();
  } catch (const std::exception& error) {
    return startFailed(opened, error.what());
  }
  armLaunchTimer(opened, environment_.options.launchTime, std::string());
  if (takingUp_.count(opened.kind) != 0) launched(opened);
}

void Session::armLaunchTimer(Slot& opened, std::chrono::milliseconds time,
                             const std::string& waitsFor) {
  opened.timer.reset();
  if (time.count() == 0) return;
  opened.timer = std::make_unique<Timer>(
      strand_, time, [weak = weak_from_this(), kind = opened.kind, time, waitsFor] {
        const auto self = weak.lock();
        if (!self) return;
        Slot& late = self->slot(kind);
        if (late.phase != Phase::launching) return;
        self->failed(late, false,
                     "the " + kind + " interpreter was not ready within " +
                         std::to_string(time.count() / 1000) + " s" +
                         (waitsFor.empty() ? std::string() : ": " + waitsFor));
      });
}

void Session::waits(Slot& launched, const std::string& reason) {
  if (launched.phase != Phase::launching || reason.empty()) return;
  armLaunchTimer(launched, environment_.options.queueTime, reason);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (settledOnce_ || row_.reason == reason) return;
    row_.reason = reason;
  }
  noteInLog(reason);
  saveRow(nullptr);
}

// A lost statement means that its interpreter has died. The plugin says so too, a little later
// where a driver has to tell it; until then nothing else may be given to it.
void Session::expectEnd(Slot& dying) {
  if (dying.phase != Phase::ready) return;
  dying.losing = true;
  dying.timer = std::make_unique<Timer>(
      strand_, std::chrono::seconds(5), [weak = weak_from_this(), kind = dying.kind] {
        const auto self = weak.lock();
        if (!self) return;
        Slot& late = self->slot(kind);
        if (late.phase == Phase::ready && late.losing)
          self->failed(late, false, "the " + kind + " interpreter lost a statement");
      });
}

void Session::ready(Slot& now) {
  if (now.phase != Phase::launching) return;
  now.phase = Phase::ready;
  now.timer.reset();
  if (now.kind == mainKind() && !settledOnce_) {
    settledOnce_ = true;
    lastActivity_ = std::chrono::steady_clock::now();
    refreshState();
    armLifeTimer();
    saveRow(nullptr);
  }
  for (const auto& entry : slots_) {
    if (entry.second.phase != Phase::waitingForLeader ||
        entry.second.instance->entry->leader != now.kind)
      continue;
    askLeader(now.kind);
    break;
  }
  pump();
}

// The interpreter could not be started: what waits for it is told, the session lives on without it
// unless it is the one that the session was made for.
void Session::startFailed(Slot& broken, const std::string& reason) {
  hearth::host::log().warn("session {}: {} did not start: {}", id_, broken.kind, reason);
  noteInLog("the " + broken.kind + " interpreter did not start: " + reason);
  broken.failure = reason;
  if (running_ && !given_ && runningKind_ == broken.kind &&
      statement(*running_)->state != name(StatementState::waiting))
    loseRunning(reason);
  if (takingUp_.erase(broken.kind) != 0) forgetRecord(broken.kind);
  if (broken.interpreter)
    retire(broken, HEARTH_CLOSE_KILL);
  else
    broken.phase = Phase::none;
  for (auto& entry : slots_)
    if (entry.second.phase == Phase::waitingForLeader &&
        entry.second.instance->entry->leader == broken.kind)
      startFailed(entry.second, reason);
  if (ending_) return;
  if (!settledOnce_ && carriesSession(broken))
    return endNow(SessionState::dead, reason, false, nullptr);
  if (queue_.empty()) return;
  const StatementPtr front = statement(queue_.front());
  if (front && front->kind == broken.kind) {
    queue_.pop_front();
    finish(front->id, StatementState::available, "error",
           "{\"ename\":\"InterpreterError\",\"evalue\":" +
               jsonQuoted("Fail to start interpreter " + broken.kind + ": " + reason) +
               ",\"traceback\":[]}");
  }
  pumpSoon();
}

void Session::failed(Slot& broken, bool dead, const std::string& reason) {
  if (broken.phase == Phase::closing) {
    if (dead) closed(broken);
    return;
  }
  if (deadReason_) return;  // what it means is about to be told
  if (broken.phase == Phase::launching) {
    broken.timer.reset();
    if (dead && askCluster(broken, reason)) return;
    return startFailed(broken, reason);
  }
  hearth::host::log().warn("session {}: {} failed: {}", id_, broken.kind, reason);
  broken.failure = reason;
  if (dead && askCluster(broken, reason)) return;
  if (dead && carriesSession(broken)) return endNow(SessionState::dead, reason, false, nullptr);
  noteInLog("the " + broken.kind +
            " interpreter failed and starts again with the next statement: " + reason);
  retire(broken, HEARTH_CLOSE_KILL);
}

void Session::retire(Slot& leaving, std::int32_t mode) {
  if (leaving.phase == Phase::closing) return;
  if (leaving.phase == Phase::none) {
    if (leaving.interpreter) leaving.interpreter->release();  // opened for a check, never launched
    leaving.interpreter.reset();
    return;
  }
  if (!leaving.interpreter) {
    leaving.phase = Phase::none;
    return;
  }
  // Followers live in the leader's driver: they go first.
  for (auto& entry : slots_)
    if (entry.second.instance && entry.second.instance->entry->leader == leaving.kind) {
      if (entry.second.failure.empty()) entry.second.failure = leaving.failure;
      retire(entry.second, mode);
    }
  leaving.phase = Phase::closing;
  const auto arm = [this](Slot& at, auto& self) -> void {
    const std::chrono::milliseconds time =
        at.killed ? std::chrono::milliseconds(2000) : environment_.options.closeTime;
    at.timer = std::make_unique<Timer>(
        strand_, time, [weak = weak_from_this(), kind = at.kind, self]() mutable {
          const auto session = weak.lock();
          if (!session) return;
          Slot& late = session->slot(kind);
          if (late.phase != Phase::closing) return;
          if (late.killed || session->detaching_) return session->closed(late);
          hearth::host::log().warn("session {}: {} did not close in time and is killed",
                                   session->id_, kind);
          late.killed = true;
          late.interpreter->killProcesses();
          self(late, self);
        });
  };
  arm(leaving, arm);
  leaving.interpreter->close(mode);
}

void Session::closed(Slot& gone) {
  const std::shared_ptr<Interpreter> interpreter = std::move(gone.interpreter);
  gone.interpreter.reset();
  gone.phase = Phase::none;
  gone.timer.reset();
  if (interpreter) {
    // A plugin says CLOSED when its process has ended; one that does not is held to it.
    if (!detaching_) interpreter->killProcesses();
    lossReason_ = std::exchange(gone.failure, std::string());
    interpreter->release();
    lossReason_.clear();
  }
  for (auto asked = exports_.begin(); asked != exports_.end();)
    asked = asked->second == gone.kind ? exports_.erase(asked) : std::next(asked);
  for (auto& entry : slots_)
    if (entry.second.phase == Phase::waitingForLeader && entry.second.instance &&
        entry.second.instance->entry->leader == gone.kind)
      entry.second.phase = Phase::none;
  if (ending_) return finishEnd();
  forgetRecord(gone.kind);
  letApplicationGo(gone);
  pump();
}

std::string Session::mergeDetail(const std::string& detailJson) {
  if (detailJson.empty()) return {};
  boost::system::error_code error;
  const json::value detail = json::parse(detailJson, error);
  if (error || !detail.is_object()) return {};
  std::string reason;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    json::value info =
        row_.info.empty() ? json::value(json::object()) : json::parse(row_.info, error);
    if (!info.is_object()) info = json::object();
    bool changed = false;
    for (const auto& item : detail.get_object()) {
      if (item.key() == "reason") {
        if (item.value().is_string()) reason = std::string(item.value().get_string().c_str());
        continue;
      }
      json::value& held = info.get_object()[item.key()];
      if (held == item.value()) continue;
      held = item.value();
      changed = true;
    }
    if (!changed) return reason;
    row_.info = json::serialize(info);
  }
  saveRow(nullptr);
  return reason;
}

void Session::onState(Interpreter& interpreter, std::int32_t state, std::string detailJson) {
  const std::string reason = mergeDetail(detailJson);
  Slot* const of = slotOf(interpreter);
  if (!of) return;
  followApplication(*of, detailJson);
  switch (state) {
    case HEARTH_IDLE:
      return ready(*of);
    case HEARTH_CLOSED:
      if (of->phase == Phase::closing) closed(*of);
      return;
    case HEARTH_WAITING:
      return waits(*of, reason);
    case HEARTH_DEAD:
      return failed(*of, true, reason.empty() ? "the " + of->kind + " process has ended" : reason);
    default:
      return failed(*of, false,
                    reason.empty() ? "the " + of->kind + " interpreter failed" : reason);
  }
}

void Session::onReply(Interpreter&, std::uint64_t request, hearth_status status,
                      std::string answer) {
  if (answerQuestion(request, status, answer)) return;
  const auto asked = exports_.find(request);
  if (asked == exports_.end()) return;
  const std::string leader = asked->second;
  exports_.erase(asked);
  for (auto& entry : slots_) {
    Slot& waiting = entry.second;
    if (waiting.phase != Phase::waitingForLeader || waiting.instance->entry->leader != leader)
      continue;
    if (status == HEARTH_OK)
      openAndLaunch(waiting, answer);
    else
      startFailed(waiting, "the " + leader + " driver cannot be joined: " + answer);
  }
}

void Session::onSave(Interpreter& interpreter, std::string blob) {
  faultPoint("recovery.save.before");
  const Slot* const of = slotOf(interpreter);
  if (!of) return;
  const CatalogEntry& plugin = *of->instance->entry;
  recovery_.interpreters[of->kind] =
      RecoverableInterpreter{std::move(blob),       of->tag,
                             interpreter.channel(), interpreter.process(),
                             plugin.descriptor.id,  plugin.descriptor.version};
  keepRecord();
  faultPoint("recovery.save.after");
}

}  // namespace hearth::host
