#include "LiveRun.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace hearth::check {

namespace fs = std::filesystem;
using host::PluginError;

namespace {

constexpr std::size_t mostTold = 200;

std::string cut(const std::string& text) {
  return text.size() <= mostTold ? text : text.substr(0, mostTold) + "...";
}

const char* outcomeName(std::int32_t outcome) {
  static const char* const names[] = {"ok", "error", "cancelled", "incomplete", "lost"};
  return outcome >= 0 && outcome <= HEARTH_DONE_LOST ? names[outcome] : "an unknown outcome";
}

const char* stateName(std::int32_t state) {
  static const char* const names[] = {"", "IDLE", "ERROR", "DEAD", "CLOSED", "WAITING"};
  return state >= HEARTH_IDLE && state <= HEARTH_WAITING ? names[state] : "an unknown state";
}

std::uint64_t codePoints(const std::string& text) {
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void needEnvironment(const Subject& subject) {
  for (const auto& name : subject.quirks.needsEnvironment) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0')
      throw Skipped("the quirks file needs " + name + " in the environment, which is not set");
  }
}

}  // namespace

struct LiveRun::Session {
  std::string id;
  fs::path folder;
  std::optional<host::SessionServices> services;
  std::unique_ptr<LiveInterpreter> leader, repl;
};

LiveRun::LiveRun(const Context& context, LiveHost* host)
    : context_(context),
      plugin_(Plugin::of(context.subject)),
      border_(Border::make(plugin_.table())),
      host_(host) {
  if (!context.launches) throw Skipped("--no-launch");
  needEnvironment(context.subject);
  const std::string leader = plugin_.descriptor().leader;
  if (!leader.empty() && !context.leader)
    throw Skipped("it joins the driver of a leader of kind " + leader + ": name one by --with");
  if (!leader.empty()) {
    needEnvironment(*context.leader);
    leaderBorder_ = &Border::make(Plugin::of(*context.leader).table());
  }
  if (host_ == nullptr) {
    ownHost_ = std::make_unique<LiveHost>(context.scratch);
    host_ = ownHost_.get();
  }
}

LiveRun::~LiveRun() {
  try {
    end();
  } catch (const std::exception&) {  // the check has its verdict already
  }
}

host::PluginInstancePtr LiveRun::make(Border& border, const Subject& subject) {
  const std::string config = Plugin::of(subject).configJson(subject);
  host::CatalogEntry entry;
  entry.instance = Plugin::of(subject).descriptor().id;
  entry.loaded = true;
  auto made = std::make_unique<host::PluginInstance>();
  made->entry = std::make_shared<const host::CatalogEntry>(std::move(entry));
  made->table = &border.table();
  char why[1024] = "";
  hearth_error error{HEARTH_OK, sizeof why, why};
  if (made->table->create(&host_->table(), {config.data(), config.size()}, &made->self, &error) !=
      HEARTH_OK)
    throw Failure(std::string("create refused: ") + why);
  return made;
}

const host::PluginInstancePtr& LiveRun::instance(std::size_t number) {
  if (instances_.size() <= number) instances_.resize(number + 1);
  auto& made = instances_[number];
  if (!made) made = make(border_, context_.subject);
  return made;
}

LiveRun::Session& LiveRun::session() {
  auto made = std::make_unique<Session>();
  made->id = std::to_string(sessions_.size() + 1);
  made->folder = host_->folder() / ("s" + made->id);
  fs::create_directories(made->folder);
  fs::permissions(made->folder, fs::perms::owner_all);
  auto strand = host_->loop().strand();
  const auto durable = [](const std::function<void(bool)>& committed) { committed(true); };
  const auto link = std::make_shared<host::DriverLink>(host_->links(), strand, made->id,
                                                       made->folder.string(), durable);
  const auto log = std::make_shared<host::LogFile>((made->folder / "log").string());
  made->services.emplace(host::SessionServices{made->id, made->folder.string(), &host_->loop(),
                                               strand, link, log, nullptr, {}, nullptr});
  sessions_.push_back(std::move(made));
  return *sessions_.back();
}

std::string LiveRun::driverJson(Session& session) {
  if (plugin_.descriptor().leader.empty()) return {};
  const Subject& subject = *context_.leader;
  const Plugin& plugin = Plugin::of(subject);
  if (!leader_) leader_ = make(*leaderBorder_, subject);
  host::OpenArguments arguments;
  arguments.kind = arguments.pluginKind = plugin.kind(subject);
  arguments.optionsJson = plugin.optionsJson(subject, session.folder.string());
  session.leader =
      std::make_unique<LiveInterpreter>(host_->plugins(), leader_, *session.services, arguments);
  session.leader->launch();
  idle(*session.leader, subject);
  const auto reply =
      session.leader->reply(session.leader->exportDriver(), subject.quirks.launchTime);
  if (!reply || reply->status != HEARTH_OK) throw Failure("the leader exports no driver");
  return reply->json;
}

LiveInterpreter& LiveRun::takenUp(const Kept& kept) {
  constexpr std::uint16_t firstOfSecondRun = 258;
  constexpr std::uint16_t leaderChannel = 1;
  const host::PluginInstancePtr of = instance(0);
  Session& made = session();
  made.services->link->numberFrom(firstOfSecondRun);
  if (kept.channel == leaderChannel) made.services->link->resume();
  host_->start();
  host::OpenArguments arguments;
  arguments.kind = arguments.pluginKind = plugin_.kind(context_.subject);
  arguments.optionsJson = plugin_.optionsJson(context_.subject, made.folder.string());
  arguments.recoveryBlob = kept.blob;
  arguments.channel = kept.channel;
  arguments.process = kept.process;
  try {
    made.repl = std::make_unique<LiveInterpreter>(host_->plugins(), of, *made.services, arguments);
    made.repl->launch();
  } catch (const PluginError& error) {
    throw Failure(std::string("opened with what it had saved it refused: ") + error.what());
  }
  made.services->link->admit();
  idle(*made.repl);
  return *made.repl;
}

LiveInterpreter& LiveRun::opened(std::size_t number) {
  host_->start();
  const host::PluginInstancePtr of = instance(number);
  Session& made = session();
  host::OpenArguments arguments;
  arguments.kind = arguments.pluginKind = plugin_.kind(context_.subject);
  arguments.driverJson = driverJson(made);
  arguments.optionsJson = plugin_.optionsJson(context_.subject, made.folder.string());
  try {
    made.repl = std::make_unique<LiveInterpreter>(host_->plugins(), of, *made.services, arguments);
  } catch (const PluginError& error) {
    throw Failure(std::string("open refused: ") + error.what());
  }
  return *made.repl;
}

void LiveRun::idle(LiveInterpreter& repl) {
  idle(repl, context_.subject);
}

void LiveRun::idle(LiveInterpreter& repl, const Subject& subject) {
  const auto state = repl.nextState(subject.quirks.launchTime);
  if (!state)
    throw Failure("no state was reported within " +
                  std::to_string(subject.quirks.launchTime.count()) +
                  " s of launch (quirk launch_seconds)");
  if (state->state != HEARTH_IDLE)
    throw Failure(std::string("after launch it reported ") + stateName(state->state) + ": " +
                  cut(state->detail));
}

void LiveRun::launch(LiveInterpreter& repl) {
  try {
    repl.launch();
  } catch (const PluginError& error) {
    throw Failure(std::string("launch refused: ") + error.what());
  }
  idle(repl);
}

LiveInterpreter& LiveRun::launched(std::size_t number) {
  LiveInterpreter& repl = opened(number);
  launch(repl);
  return repl;
}

const Sample& LiveRun::sample(const char* name) const {
  const Sample* found = context_.subject.quirks.sample(name);
  if (found == nullptr) throw Skipped(std::string("no sample \"") + name + "\" in a quirks file");
  return *found;
}

std::uint64_t LiveRun::begin(LiveInterpreter& repl, const char* name) {
  try {
    return repl.execute(sample(name).code);
  } catch (const PluginError& error) {
    throw Failure(std::string("execute refused the sample \"") + name + "\": " + error.what());
  }
}

LiveInterpreter::Done LiveRun::finish(LiveInterpreter& repl, std::uint64_t statement) {
  const auto time = context_.subject.quirks.statementTime;
  const auto done = repl.done(statement, time);
  if (!done)
    throw Failure("no stmt_done for statement " + std::to_string(statement) + " within " +
                  std::to_string(time.count()) + " s (quirk statement_seconds)");
  return *done;
}

LiveInterpreter::Done LiveRun::execute(LiveInterpreter& repl, const char* name) {
  const Sample& tried = sample(name);
  const auto done = finish(repl, begin(repl, name));
  const std::string kind = name;
  const std::int32_t wanted = kind == "error"        ? HEARTH_DONE_ERROR
                              : kind == "incomplete" ? HEARTH_DONE_INCOMPLETE
                                                     : HEARTH_DONE_OK;
  if (done.outcome != wanted)
    throw Failure("the sample \"" + kind + "\" ended as " + outcomeName(done.outcome) + ", not " +
                  outcomeName(wanted) + ": " + cut(done.bundle));
  const std::string& answer = kind == "output" ? done.output : done.bundle;
  if (answer.find(tried.expect) == std::string::npos)
    throw Failure("the sample \"" + kind + "\" gave " + cut(answer) + ", without \"" +
                  tried.expect + '"');
  return done;
}

void LiveRun::exercise(LiveInterpreter& repl) {
  for (const char* name : {"ok", "output", "error", "refused"}) {
    const Sample* found = context_.subject.quirks.sample(name);
    if (found == nullptr) continue;
    try {
      finish(repl, repl.execute(found->code));
    } catch (const PluginError&) {  // that is for other checks
    }
  }
  const Sample* completion = context_.subject.quirks.sample("completion");
  if (completion == nullptr || !repl.canComplete()) return;
  try {
    repl.reply(repl.complete(completion->code, codePoints(completion->code)),
               context_.subject.quirks.statementTime);
  } catch (const PluginError&) {  // likewise
  }
}

void LiveRun::interruptSlow(LiveInterpreter& repl) {
  using namespace std::chrono_literals;
  const std::uint64_t statement = begin(repl, "slow");
  // It should be under way: what it prints says so, else a moment must do.
  repl.hasOutput(statement, sample("slow").expect.empty()
                                ? 1000ms
                                : std::chrono::milliseconds(context_.subject.quirks.statementTime));
  if (repl.done(statement, 0ms)) throw Failure("the sample \"slow\" is over by itself");
  try {
    repl.interrupt(statement);
  } catch (const PluginError& error) {
    throw Failure(std::string("interrupt refused: ") + error.what());
  }
  const auto done = repl.done(statement, context_.subject.quirks.statementTime);
  if (!done)
    throw Failure("the sample \"slow\" ran on for " +
                  std::to_string(context_.subject.quirks.statementTime.count()) +
                  " s after its interrupt");
  if (done->outcome != HEARTH_DONE_CANCELLED)
    throw Failure(std::string("the interrupted sample \"slow\" ended as ") +
                  outcomeName(done->outcome) + ", not cancelled: " + cut(done->bundle));
}

void LiveRun::complete(LiveInterpreter& repl) {
  const Sample& tried = sample("completion");
  std::optional<LiveInterpreter::Reply> reply;
  try {
    reply = repl.reply(repl.complete(tried.code, codePoints(tried.code)),
                       context_.subject.quirks.statementTime);
  } catch (const PluginError& error) {
    throw Failure(std::string("complete refused: ") + error.what());
  }
  if (!reply) throw Failure("complete was not answered by reply");
  if (reply->status != HEARTH_OK || reply->json.find("\"candidates\"") == std::string::npos ||
      reply->json.find(tried.expect) == std::string::npos)
    throw Failure("complete was answered " + cut(reply->json) + ", without \"" + tried.expect +
                  "\" among the candidates");
}

void LiveRun::inspect(LiveInterpreter& repl) {
  const Sample& tried = sample("inspect");
  std::optional<LiveInterpreter::Reply> reply;
  try {
    reply = repl.reply(repl.inspect(tried.code, 1), context_.subject.quirks.statementTime);
  } catch (const PluginError& error) {
    throw Failure(std::string("inspect refused: ") + error.what());
  }
  if (!reply) throw Failure("inspect was not answered by reply");
  if (reply->status != HEARTH_OK || reply->json.find("\"found\"") == std::string::npos ||
      reply->json.find(tried.expect) == std::string::npos)
    throw Failure("inspect was answered " + cut(reply->json) + ", without \"found\" or \"" +
                  tried.expect + '"');
}

void LiveRun::close(LiveInterpreter& repl, std::int32_t mode) {
  repl.close(mode);
  const auto until = std::chrono::steady_clock::now() + context_.subject.quirks.closeTime;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    const auto state = repl.nextState(std::max(left, std::chrono::milliseconds(0)));
    if (!state)
      throw Failure("CLOSED was not reported within " +
                    std::to_string(context_.subject.quirks.closeTime.count()) +
                    " s of close (quirk close_seconds)");
    if (state->state == HEARTH_CLOSED) break;
  }
  repl.release();
}

void LiveRun::end() {
  for (const auto& session : sessions_) {
    for (auto* repl : {&session->repl, &session->leader}) {
      if (!*repl) continue;
      if (!(*repl)->isReleased()) {
        (*repl)->close(HEARTH_CLOSE_KILL);
        (*repl)->killProcesses();
        (*repl)->release();
      }
      repl->reset();
    }
  }
  sessions_.clear();
  for (auto& made : instances_)
    if (made) made->table->destroy(made->self);
  instances_.clear();
  if (leader_) leader_->table->destroy(leader_->self);
  leader_.reset();
}

}  // namespace hearth::check
