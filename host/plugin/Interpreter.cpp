#include "plugin/Interpreter.h"

#include <signal.h>

#include <boost/json/parse.hpp>
#include <chrono>
#include <cstring>
#include <utility>

#include "plugin/InterpreterHandles.h"
#include "plugin/PluginCall.h"
#include "plugin/PluginHost.h"
#include "process/AdoptedProcess.h"
#include "support/Log.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

constexpr std::chrono::milliseconds slowCall{200};
// More than any plugin needs; each costs the host something.
constexpr std::size_t mostTimers = 1000;
constexpr std::size_t mostProcesses = 64;
constexpr std::size_t mostChannels = 64;
// Lines of the log at once, and per second.
constexpr double logBurst = 2000;
constexpr double logRate = 200;

hearth_str borrow(std::string_view text) {
  return hearth_str{text.data(), text.size()};
}

std::string copy(const hearth_str& text) {
  return text.len == 0 ? std::string() : std::string(text.ptr, text.len);
}

/// The options of chan_offer. Throws PluginError for what they may not say.
Reach reachIn(const std::string& optionsJson) {
  if (optionsJson.empty()) return Reach::local;
  boost::system::error_code error;
  const boost::json::value options = boost::json::parse(optionsJson, error);
  if (error || !options.is_object())
    throw PluginError(HEARTH_E_INVALID, "chan_offer's options are not an object");
  const boost::json::value* network = options.get_object().if_contains("network");
  if (network != nullptr && !network->is_bool())
    throw PluginError(HEARTH_E_INVALID, "chan_offer's network is neither true nor false");
  return network != nullptr && network->get_bool() ? Reach::network : Reach::local;
}

}  // namespace

Interpreter::Interpreter(PluginHost& host, PluginInstancePtr instance, SessionServices services,
                         InterpreterOwner& owner, std::string kind)
    : host_(host),
      held_(std::move(instance)),
      instance_(*held_),
      services_(std::move(services)),
      owner_(owner),
      kind_(std::move(kind)),
      inbox_(EventInbox::Bounds()),
      logLimit_(logBurst, logRate) {}

Interpreter::~Interpreter() {
  // release() has run unless the host is being torn down; then the plugin must not be called.
  if (handle_ != 0) host_.interpreters_.remove(handle_);
}

std::shared_ptr<Interpreter> Interpreter::open(PluginHost& host, const PluginInstancePtr& instance,
                                               SessionServices services, InterpreterOwner& owner,
                                               const OpenArguments& arguments) {
  const std::string sessionId = services.sessionId;
  std::shared_ptr<Interpreter> interpreter(
      new Interpreter(host, instance, std::move(services), owner, arguments.kind));
  interpreter->handle_ = host.interpreters_.add(interpreter);
  interpreter->takenUp_ = interpreter->takingUp_ = !arguments.recoveryBlob.empty();
  interpreter->oldChannel_ = arguments.channel;
  interpreter->oldProcess_ = arguments.process;
  hearth_open args{};
  args.struct_size = sizeof args;
  args.session_id = borrow(sessionId);
  args.kind = borrow(arguments.pluginKind);
  args.user = borrow(arguments.user);
  args.options_json = borrow(arguments.optionsJson);
  args.driver_json = borrow(arguments.driverJson);
  args.recovery_blob = borrow(arguments.recoveryBlob);
  interpreter->released_ = true;  // nothing to release until open has succeeded
  interpreter->check("open", [&](hearth_error* error) {
    return instance->table->open(instance->self, interpreter->handle_, &args, &interpreter->self_,
                                 error);
  });
  interpreter->released_ = false;
  return interpreter;
}

template <typename Call>
auto Interpreter::timed(const char* slot, Call call, std::uint64_t statement) {
  struct Watch {
    const Interpreter& interpreter;
    const char* slot;
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    ~Watch() {
      const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - start);
      if (took > slowCall)
        log().warn("plugin misbehaving: {} {} took {} ms in session {}", interpreter.pluginName(),
                   slot, took.count(), interpreter.services_.sessionId);
    }
  };
  const Watch watch{*this, slot};
  const CatalogEntry& entry = *instance_.entry;
  PluginCall about;
  about.instance = entry.instance.c_str();
  about.version = entry.descriptor.version.c_str();
  about.path = entry.path.c_str();
  about.slot = slot;
  about.session = services_.sessionId.c_str();
  about.statement = statement;
  about.takingUp = takingUp_;
  const PluginCallMark mark(about);
  const CallWatch::Running running(services_.watch, about, &services_.callHangs);
  return call();
}

template <typename Call>
void Interpreter::check(const char* slot, Call call, std::uint64_t statement) {
  char text[2048] = "";
  hearth_error error{HEARTH_OK, sizeof text, text};
  const hearth_status status = timed(
      slot, [&] { return call(&error); }, statement);
  if (status == HEARTH_OK) return;
  text[sizeof text - 1] = '\0';
  std::string why = repairUtf8(text);
  if (why.empty()) why = "plugin " + pluginName() + " refused " + slot;
  throw PluginError(status, why);
}

const std::string& Interpreter::pluginName() const {
  return instance_.entry->instance;
}
bool Interpreter::canComplete() const {
  return HEARTH_HAS(instance_.table, complete);
}
bool Interpreter::canInspect() const {
  return HEARTH_HAS(instance_.table, inspect);
}
bool Interpreter::canShareData() const {
  return HEARTH_HAS(instance_.table, shared_data);
}
bool Interpreter::canInterrupt() const {
  return HEARTH_HAS(instance_.table, interrupt);
}
bool Interpreter::canExportDriver() const {
  return HEARTH_HAS(instance_.table, export_driver);
}
bool Interpreter::canResume() const {
  return HEARTH_HAS(instance_.table, resume);
}

std::uint16_t Interpreter::channel() const {
  return chans_.empty() ? 0 : chans_.begin()->second->number;
}

std::uint64_t Interpreter::frameNow() const {
  return services_.link ? services_.link->handling() : 0;
}

void Interpreter::launch() {
  check("launch", [&](hearth_error* error) { return instance_.table->launch(self_, error); });
}

void Interpreter::begin(const char* slot, decltype(hearth_plugin::execute) call,
                        std::uint64_t statement, std::string_view code,
                        std::string_view optionsJson) {
  open_.insert(statement);
  inbox_.expect(PluginEvent::Kind::done, statement);
  try {
    check(
        slot,
        [&](hearth_error* error) {
          return call(self_, statement, borrow(code), borrow(optionsJson), error);
        },
        statement);
  } catch (...) {
    open_.erase(statement);
    throw;
  }
}

void Interpreter::execute(std::uint64_t statement, std::string_view code,
                          std::string_view optionsJson) {
  begin("execute", instance_.table->execute, statement, code, optionsJson);
}

void Interpreter::takenUp() {
  takingUp_ = false;
}

void Interpreter::resume(std::uint64_t statement, std::string_view code,
                         std::string_view optionsJson) {
  if (!canResume())
    throw PluginError(HEARTH_E_UNSUPPORTED,
                      "kind " + kind_ + " does not take up statements of an earlier run");
  begin("resume", instance_.table->resume, statement, code, optionsJson);
}

void Interpreter::interrupt(std::uint64_t statement) {
  if (!canInterrupt())
    throw PluginError(HEARTH_E_UNSUPPORTED, "kind " + kind_ + " cannot interrupt running code");
  check(
      "interrupt",
      [&](hearth_error* error) { return instance_.table->interrupt(self_, statement, error); },
      statement);
}

void Interpreter::complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) {
  if (!canComplete())
    throw PluginError(HEARTH_E_UNSUPPORTED, "kind " + kind_ + " has no completion");
  inbox_.expect(PluginEvent::Kind::reply, request);
  check("complete", [&](hearth_error* error) {
    return instance_.table->complete(self_, request, borrow(code), cursor, error);
  });
}

void Interpreter::inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
                          int detail) {
  if (!canInspect())
    throw PluginError(HEARTH_E_UNSUPPORTED, "kind " + kind_ + " has no inspection");
  inbox_.expect(PluginEvent::Kind::reply, request);
  check("inspect", [&](hearth_error* error) {
    return instance_.table->inspect(self_, request, borrow(code), cursor, detail, error);
  });
}

void Interpreter::sharedData(std::uint64_t request) {
  if (!canShareData())
    throw PluginError(HEARTH_E_UNSUPPORTED, "kind " + kind_ + " lists no shared data");
  inbox_.expect(PluginEvent::Kind::reply, request);
  check("shared_data",
        [&](hearth_error* error) { return instance_.table->shared_data(self_, request, error); });
}

void Interpreter::exportDriver(std::uint64_t request) {
  if (!canExportDriver())
    throw PluginError(HEARTH_E_UNSUPPORTED, "kind " + kind_ + " cannot be joined by other kinds");
  inbox_.expect(PluginEvent::Kind::reply, request);
  check("export_driver",
        [&](hearth_error* error) { return instance_.table->export_driver(self_, request, error); });
}

void Interpreter::close(std::int32_t mode) {
  timed("close", [&] { instance_.table->close(self_, mode); });
}

void Interpreter::killProcesses() {
  if (oldProcess_) {
    try {
      adopt();
    } catch (const std::exception& error) {
      log().warn("session {}: {}", services_.sessionId, error.what());
    }
  }
  for (const auto& entry : procs_) entry.second->process->signal(SIGKILL);
}

void Interpreter::release() {
  if (released_) return;
  released_ = true;
  for (const auto& entry : chans_) {
    host_.chans_.remove(entry.first);
    entry.second->link->close(entry.second->number);
  }
  chans_.clear();
  for (const auto& entry : procs_) host_.procs_.remove(entry.first);
  procs_.clear();
  timers_.clear();
  host_.interpreters_.remove(std::exchange(handle_, 0));
  timed("release", [&] { instance_.table->release(self_); });
  self_ = nullptr;
  const std::set<std::uint64_t> lost = std::exchange(open_, {});
  for (const std::uint64_t statement : lost)
    owner_.onDone(*this, statement, HEARTH_DONE_LOST, std::string());
}

void Interpreter::requireStrand(const char* call) const {
  if (services_.strand.running_in_this_thread()) return;
  throw PluginError(HEARTH_E_STATE, std::string(call) + " is for calls of the session only");
}

std::uint64_t Interpreter::spawn(const hearth_spawn& what) {
  requireStrand("spawn");
  if (procs_.size() >= mostProcesses)
    throw PluginError(HEARTH_E_LIMIT, "the session has " + std::to_string(mostProcesses) +
                                          " processes of this plugin already");
  SpawnRequest request;
  for (std::size_t i = 0; i < what.argc; ++i) request.argv.push_back(copy(what.argv[i]));
  for (std::size_t i = 0; i < what.envc; ++i) request.env.push_back(copy(what.env[i]));
  request.cwd = copy(what.cwd);
  if (request.cwd.empty()) request.cwd = services_.folder;
  request.lines = (what.flags & HEARTH_SPAWN_LINES) != 0;
  request.logFile = services_.log->path();

  const auto proc = std::make_shared<Proc>();
  proc->interpreter = weak_from_this();
  const std::uint64_t handle = host_.procs_.add(proc);
  try {
    proc->process =
        host_.launcher().spawn(request, services_.strand,
                               processEvents(handle, (what.flags & HEARTH_SPAWN_PROTOCOL) == 0));
    lastProcess_ = identityOf(proc->process->pid());
    if (services_.processes) services_.processes->add(proc->process);
  } catch (...) {
    host_.procs_.remove(handle);
    throw;
  }
  log().info("session {}: {} started process {} ({})", services_.sessionId, pluginName(),
             proc->process->pid(), request.argv.empty() ? std::string() : request.argv[0]);
  procs_[handle] = proc;
  return handle;
}

std::uint64_t Interpreter::adopt() {
  const std::optional<ProcessIdentity> identity = std::exchange(oldProcess_, std::nullopt);
  if (!identity) return 0;
  const auto proc = std::make_shared<Proc>();
  proc->interpreter = weak_from_this();
  const std::uint64_t handle = host_.procs_.add(proc);
  proc->process =
      adoptProcess(*services_.loop, *identity, services_.strand, processEvents(handle, true));
  if (!proc->process) {
    host_.procs_.remove(handle);
    return 0;
  }
  log().info("session {}: {} has taken up process {}", services_.sessionId, pluginName(),
             identity->pid);
  procs_[handle] = proc;
  if (services_.processes) services_.processes->add(proc->process);
  lastProcess_ = identity;
  return handle;
}

Process::Events Interpreter::processEvents(std::uint64_t handle, bool logsStdout) {
  const std::weak_ptr<Interpreter> weak = weak_from_this();
  Process::Events events;
  events.line = [weak, handle, logsStdout](int stream, TextLine line) {
    const auto self = weak.lock();
    if (!self || self->released_) return;
    if (logsStdout || stream != HEARTH_STDOUT) self->services_.log->append(line.text);
    if (line.goesOn) stream |= HEARTH_LINE_GOES_ON;
    if (HEARTH_HAS(self->instance_.table, on_proc_line))
      self->timed("on_proc_line", [&] {
        self->instance_.table->on_proc_line(self->self_, handle, stream, borrow(line.text));
      });
  };
  events.exit = [weak, handle](int status, int signo) {
    const auto self = weak.lock();
    if (!self || self->released_) return;
    if (HEARTH_HAS(self->instance_.table, on_proc_exit))
      self->timed("on_proc_exit",
                  [&] { self->instance_.table->on_proc_exit(self->self_, handle, status, signo); });
    const auto ended = self->procs_.find(handle);
    if (self->lastProcess_ && ended != self->procs_.end() &&
        ended->second->process->pid() == self->lastProcess_->pid)
      self->lastProcess_.reset();
    if (ended != self->procs_.end()) self->procs_.erase(ended);
    self->host_.procs_.remove(handle);
  };
  return events;
}

std::uint64_t Interpreter::startTimer(std::uint32_t ms) {
  requireStrand("timer");
  if (timers_.size() >= mostTimers) {
    host_.misbehaves("{}: more than {} timers in session {}", pluginName(), mostTimers,
                     services_.sessionId);
    return 0;
  }
  const std::uint64_t id = nextTimer_++;
  const auto over = [weak = weak_from_this(), id] {
    const auto self = weak.lock();
    if (!self || self->released_ || self->timers_.erase(id) == 0) return;
    if (HEARTH_HAS(self->instance_.table, on_timer))
      self->timed("on_timer", [&] { self->instance_.table->on_timer(self->self_, id); });
  };
  timers_[id] = std::make_unique<Timer>(services_.strand, std::chrono::milliseconds(ms), over);
  return id;
}

DriverLink::Channel Interpreter::channelEvents(std::uint64_t handle) {
  const std::weak_ptr<Interpreter> weak = weak_from_this();
  DriverLink::Channel channel;
  channel.event = [weak, handle](Link::Event event) {
    const auto self = weak.lock();
    if (!self) return;
    self->chanEvent(handle,
                    event == Link::Event::up     ? HEARTH_CHAN_UP
                    : event == Link::Event::down ? HEARTH_CHAN_DOWN
                                                 : HEARTH_CHAN_BACK,
                    nullptr);
  };
  channel.frame = [weak, handle](const Frame& frame) {
    if (const auto self = weak.lock()) self->chanEvent(handle, HEARTH_CHAN_FRAME, &frame);
  };
  return channel;
}

void Interpreter::chanEvent(std::uint64_t handle, std::int32_t event, const Frame* frame) {
  if (released_ || chans_.count(handle) == 0 || !HEARTH_HAS(instance_.table, on_chan_frame)) return;
  hearth_frame view{};
  if (frame) {
    view.type = frame->type;
    view.outcome = frame->outcome;
    view.statement = frame->statement;
    view.payload = borrow(frame->payload);
  }
  timed(
      "on_chan_frame",
      [&] { instance_.table->on_chan_frame(self_, handle, event, frame ? &view : nullptr); },
      view.statement);
}

void Interpreter::offerChannel(const std::string& optionsJson, hearth_offer& offer) {
  requireStrand("chan_offer");
  const Reach reach = reachIn(optionsJson);
  const auto chan = std::make_shared<Chan>();
  chan->interpreter = weak_from_this();
  chan->link = services_.link;
  chan->number = 1;
  const std::uint64_t handle = host_.chans_.add(chan);
  try {
    const std::string file = services_.link->offer(channelEvents(handle), reach);
    if (file.size() >= sizeof offer.link_file)
      throw std::runtime_error("path of the link file is too long: " + file);
    std::memcpy(offer.link_file, file.c_str(), file.size() + 1);
  } catch (...) {
    host_.chans_.remove(handle);
    throw;
  }
  offer.channel = handle;
  chans_[handle] = chan;
}

std::uint64_t Interpreter::joinChannel(std::string openJson) {
  requireStrand("chan_join");
  if (chans_.size() >= mostChannels)
    throw PluginError(HEARTH_E_LIMIT, "the session has " + std::to_string(mostChannels) +
                                          " channels of this plugin already");
  const auto chan = std::make_shared<Chan>();
  chan->interpreter = weak_from_this();
  chan->link = services_.link;
  const std::uint64_t handle = host_.chans_.add(chan);
  try {
    chan->number =
        services_.link->join(channelEvents(handle), std::exchange(oldChannel_, std::uint16_t{0}));
    Frame open;
    open.channel = chan->number;
    open.type = static_cast<std::uint8_t>(FrameType::open);
    open.payload = std::move(openJson);
    if (!services_.link->send(std::move(open)))
      throw PluginError(HEARTH_E_LIMIT, "too much waits to be sent to the session's driver");
  } catch (...) {
    if (chan->number != 0) services_.link->close(chan->number);
    host_.chans_.remove(handle);
    throw;
  }
  chans_[handle] = chan;
  return handle;
}

bool Interpreter::sendOn(const Chan& chan, const hearth_frame& frame) {
  Frame sent;
  sent.channel = chan.number;
  sent.type = frame.type;
  sent.outcome = frame.outcome;
  sent.statement = frame.statement;
  sent.payload = copy(frame.payload);
  return chan.link->send(std::move(sent));
}

void Interpreter::closeChannel(std::uint64_t handle) {
  requireStrand("chan_close");
  const auto found = chans_.find(handle);
  if (found == chans_.end()) return;
  found->second->link->close(found->second->number);
  PluginEvent event;
  event.act = [this, handle] {
    chanEvent(handle, HEARTH_CHAN_CLOSED, nullptr);
    chans_.erase(handle);
    host_.chans_.remove(handle);
  };
  post(std::move(event));
}

}  // namespace hearth::host
