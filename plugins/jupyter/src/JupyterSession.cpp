#include "JupyterSession.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "Guard.h"
#include "Text.h"

namespace hearth::jupyter {

namespace json = boost::json;

namespace {

constexpr int maxLaunches = 3;
constexpr std::uint32_t interruptStep = 20;  // ms
constexpr std::uint32_t lockStep = 100;      // ms
constexpr int interruptSteps = 50;
constexpr std::string_view confPrefix = "jupyter.";
constexpr std::string_view variablePrefix = "jupyter.env.";

json::object parseObject(const std::string& text, const char* what) {
  if (text.empty()) return {};
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object())
    throw Error(HEARTH_E_INVALID, std::string(what) + " is no JSON object");
  return std::move(value.get_object());
}

std::string text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object member(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

std::int64_t number(const json::object& object, const char* key, std::int64_t least,
                    std::int64_t most) {
  const json::value* value = object.if_contains(key);
  const std::int64_t given = value != nullptr && value->is_int64() ? value->get_int64() : -1;
  if (given < least || given > most)
    throw Error(HEARTH_E_INVALID, std::string(key) + " is not a number from " +
                                      std::to_string(least) + " to " + std::to_string(most));
  return given;
}

void checkTransport(const std::string& name, const char* where) {
  if (name != "auto" && name != "ipc" && name != "tcp")
    throw Error(HEARTH_E_INVALID,
                std::string(where) + " \"" + name + "\" is not one of auto, ipc, tcp");
}

std::map<std::string, std::string> hostEnvironment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos)
      variables.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return variables;
}

std::string reasonDetail(const std::string& reason) {
  return "{\"reason\":" + hearth::quoted(reason) + "}";
}

}  // namespace

JupyterInstance::JupyterInstance(Host host, std::string config)
    : Instance(host, std::move(config)),
      environment_(hostEnvironment()),
      io_([host](const std::string& text) { host.log(0, HEARTH_LOG_ERROR, text); }) {
  const json::object given = parseObject(this->config(), "the configuration");
  settings_.kernel = text(given, "kernel");
  settings_.transport = text(given, "transport");
  checkTransport(settings_.transport, "transport");
  if (const json::value* paths = given.if_contains("kernel_path");
      paths != nullptr && paths->is_array())
    for (const json::value& path : paths->get_array()) {
      if (!path.is_string() || path.get_string().empty() || path.get_string().front() != '/')
        throw Error(HEARTH_E_INVALID, "kernel_path has an item that is no absolute path");
      settings_.paths.emplace_back(path.get_string());
    }
  settings_.shutdownMillis =
      static_cast<std::uint32_t>(number(given, "shutdown_time", 0, 3600) * 1000);
  settings_.orphanSeconds = static_cast<std::uint32_t>(number(given, "orphan_time", 0, 31622400));
  if (settings_.orphanSeconds != 0 && !canGuard(path())) {
    settings_.orphanSeconds = 0;
    host.log(
        0, HEARTH_LOG_WARN,
        "Jupyter kernels end with the host, as the program flock (of util-linux), by which they "
        "would know that it stays away, is not in PATH");
  }
  settings_.times.heartbeat = std::chrono::seconds(number(given, "heartbeat_time", 1, 86400));
  settings_.times.messageBytes = static_cast<std::size_t>(number(given, "message_mb", 1, 1024))
                                 << 20;
}

std::string JupyterInstance::path() const {
  const auto found = environment_.find("PATH");
  return found == environment_.end() ? "/usr/local/bin:/usr/bin:/bin" : found->second;
}

std::string JupyterInstance::nextName(const std::string& folder) {
  for (;;) {
    std::string name = "kernel" + std::to_string(++names_);
    if (!Connection::exists(folder, name)) return name;
  }
}

JupyterSession::JupyterSession(JupyterInstance& instance, Host host, hearth_session_h handle,
                               const hearth_open& open, const std::string& config)
    : Session(host, handle, open, config),
      instance_(instance),
      recovered_(!args().recoveryBlob.empty()) {
  readOptions();
}

JupyterSession::~JupyterSession() {
  if (kernel_) kernel_->stop();
}

void JupyterSession::readOptions() {
  // Whoever asks for another user must not get the server's.
  if (!args().user.empty())
    throw Error(HEARTH_E_INVALID,
                "Jupyter kernels run as the server's user: proxyUser cannot be had here");
  const json::object options = parseObject(args().optionsJson, "the options");
  folder_ = text(options, "dir");
  transport_ = instance_.settings().transport;
  std::string name = instance_.settings().kernel;
  for (const auto& item : member(member(options, "request"), "conf")) {
    const std::string_view key(item.key().data(), item.key().size());
    if (key.substr(0, confPrefix.size()) != confPrefix || !item.value().is_string()) continue;
    const std::string value(item.value().get_string());
    if (key == "jupyter.kernel") {
      name = value;
    } else if (key == "jupyter.transport") {
      checkTransport(value, "conf jupyter.transport");
      transport_ = value;
    } else if (key.substr(0, variablePrefix.size()) == variablePrefix &&
               key.size() > variablePrefix.size()) {
      variables_[std::string(key.substr(variablePrefix.size()))] = value;
    } else {
      throw Error(HEARTH_E_INVALID, "unknown conf key " + std::string(key) +
                                        "; there are jupyter.kernel, jupyter.transport and "
                                        "jupyter.env.NAME");
    }
  }
  if (const std::string parameter = text(options, "parameter"); !parameter.empty())
    name = parameter;
  if (recovered_) return readKept();
  try {
    spec_ = KernelSpecs(instance_.settings().paths, instance_.environment()).find(name);
  } catch (const std::exception& error) {
    throw Error(HEARTH_E_INVALID, error.what());
  }
}

// The kernel runs, whatever has become of its kernelspec.
void JupyterSession::readKept() {
  const json::object kept = parseObject(args().recoveryBlob, "what was kept");
  keptConnection_ = text(kept, "connection");
  spec_.name = text(kept, "kernel");
  spec_.interruptByMessage = text(kept, "interrupt") == "message";
}

// What a next run of the host needs to go on with the kernel.
void JupyterSession::keep() const {
  save(json::serialize(
      json::object{{"connection", connection_->file()},
                   {"kernel", spec_.name},
                   {"interrupt", spec_.interruptByMessage ? "message" : "signal"}}));
}

// Sockets in the private folder are out of everybody else's reach, loopback ports are not; but only
// kernels of Python and R, which share ipykernel's and IRkernel's code, are known to take them all.
Transport JupyterSession::transport() const {
  if (transport_ == "tcp") return Transport::tcp;
  if (transport_ == "ipc") return Transport::ipc;
  const std::string& program = spec_.argv[0];
  const std::string file = program.substr(program.rfind('/') + 1);
  const bool known = file.rfind("python", 0) == 0 || file == "R" || file == "Rscript";
  return known ? Transport::ipc : Transport::tcp;
}

void JupyterSession::launch() {
  if (recovered_) return takeUp();
  log(HEARTH_LOG_INFO, "kernel " + spec_.name + " (" + spec_.displayName + ") of " + spec_.folder);
  startKernel();
}

void JupyterSession::takeUp() {
  launches_ = maxLaunches;
  kept_ = true;
  process_ = adopt();
  if (process_ == 0) {
    goneReason_ = "the kernel " + spec_.name + " has ended while the host was away";
    // Its files, where there still are any, go with it.
    guard(nullptr, [this] { Connection(instance_.ports(), keptConnection_); });
    return state(HEARTH_DEAD, reasonDetail(goneReason_));
  }
  connection_ = std::make_shared<Connection>(instance_.ports(), keptConnection_);
  holdLock();
  connect();
}

// A guard that looks whether there is a host holds it for a moment.
void JupyterSession::holdLock() {
  if (connection_ && !connection_->lock()) lockTimer_ = timer(lockStep);
}

std::vector<std::string> JupyterSession::command(const std::vector<std::string>& env) const {
  std::vector<std::string> words = spec_.command(connection_->file());
  const std::uint32_t seconds = instance_.settings().orphanSeconds;
  if (seconds == 0) return words;
  std::string path = instance_.path();
  for (const std::string& entry : env)
    if (entry.rfind("PATH=", 0) == 0) path = entry.substr(5);
  words[0] = findProgram(words[0], path, folder_);
  return guarded(words, connection_->lockFile(), seconds, instance_.path());
}

void JupyterSession::startKernel() {
  ++launches_;
  connection_ = std::make_shared<Connection>(instance_.ports(), folder_,
                                             instance_.nextName(folder_), transport(), spec_.name);
  std::vector<std::string> env = spec_.variables(instance_.environment());
  for (const auto& [name, value] : variables_) env.push_back(name + "=" + value);
  kept_ = instance_.settings().orphanSeconds != 0;
  // Kernels that look at it end by themselves when the host is gone.
  if (!kept_) env.push_back("JPY_PARENT_PID=" + std::to_string(::getpid()));
  // No HEARTH_SPAWN_LINES: code that reads stdin gets its end, and what the kernel writes goes to
  // the session's log without passing through here.
  process_ = spawn(command(env), env);
  if (kept_) keep();
  connect();
}

void JupyterSession::connect() {
  KernelEvents& events = *this;
  kernel_ =
      std::make_shared<Kernel>(instance_.io(), connection_, events, instance_.settings().times);
  kernel_->start();
}

void JupyterSession::onExit(hearth_proc_h, std::int32_t status, std::int32_t signo) {
  signalProcess(SIGKILL);  // its guard, and what else it has left in its group
  process_ = 0;
  if (!closing_ && kernel_ && !kernel_->ready() && launches_ < maxLaunches &&
      connection_->portsLost()) {
    log(HEARTH_LOG_WARN, "another process has taken the kernel's ports; it is started again");
    endKernel();
    const hearth_status started = guard(nullptr, [this] { startKernel(); });
    if (started == HEARTH_OK) return;
  }
  const std::string how =
      signo != 0 ? "ended by signal " + std::to_string(signo) +
                       (signo == SIGKILL ? " (by hand, or the system was out of memory)" : "")
      : status < 0 ? "how is not known, as the host was started anew since"
                   : "exit " + std::to_string(status);
  std::string reason = "the kernel " + spec_.name + " has ended (" + how + ")";
  if (!kernel_ || !kernel_->ready())
    reason += recovered_ ? " while the host was away"
                         : " before it was ready; the session's log has its last words";
  const std::int32_t next = closing_ ? HEARTH_CLOSED : HEARTH_DEAD;
  // When it closes, the host knows better why the statement is lost.
  if (!kernel_ || closing_) return state(next, reasonDetail(reason));
  kernel_->drain(reason, [this, next, reason] { state(next, reasonDetail(reason)); });
}

void JupyterSession::endKernel() {
  kernel_->stop();
  kernel_.reset();
  connection_.reset();
}

void JupyterSession::execute(std::uint64_t statement, std::string_view code, std::string_view) {
  if (process_ == 0 || closing_) throw Error(HEARTH_E_STATE, "the kernel is gone");
  kernel_->execute(statement, std::string(code));
}

void JupyterSession::resume(std::uint64_t statement, std::string_view, std::string_view) {
  if (process_ == 0 || closing_)
    throw Error(HEARTH_E_STATE, goneReason_.empty() ? "the kernel is gone" : goneReason_);
  kernel_->resume(statement);
  // Not ready but busy, for however long: it was ready when it was given the statement.
  state(HEARTH_IDLE);
}

void JupyterSession::complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) {
  if (process_ == 0 || closing_) throw Error(HEARTH_E_STATE, "the kernel is gone");
  kernel_->complete(request, std::string(code), cursor);
}

void JupyterSession::inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
                             std::int32_t detail) {
  if (process_ == 0 || closing_) throw Error(HEARTH_E_STATE, "the kernel is gone");
  kernel_->inspect(request, std::string(code), cursor, detail);
}

void JupyterSession::interrupt(std::uint64_t statement) {
  if (process_ == 0 || !kernel_->runs(statement)) return;
  kernel_->noteInterrupt(statement);
  if (spec_.interruptByMessage) return kernel_->interruptByMessage();
  interrupting_ = statement;
  interruptTries_ = 0;
  signalNow();
}

// A signal that arrives before the kernel has begun with the code is lost, and one after its end
// would hit what is not meant. Not every kernel says that it has begun: after a second it has.
void JupyterSession::signalNow() {
  if (process_ == 0 || !kernel_->runs(interrupting_)) return;
  if (!kernel_->underWay(interrupting_) && ++interruptTries_ < interruptSteps) {
    interruptTimer_ = timer(interruptStep);
    return;
  }
  signalProcess(SIGINT);
}

void JupyterSession::close(std::int32_t mode) {
  closing_ = true;
  if (process_ == 0) return state(HEARTH_CLOSED);
  if (mode == HEARTH_CLOSE_DETACH && kept_) {
    if (connection_) connection_->keep();
    return state(HEARTH_CLOSED);
  }
  if (mode != HEARTH_CLOSE_GRACEFUL) return signalProcess(SIGKILL);
  if (kernel_) kernel_->shutdown();
  closeTimer_ = timer(instance_.settings().shutdownMillis / 2);
}

void JupyterSession::onTimer(std::uint64_t id) {
  if (id == interruptTimer_) return signalNow();
  if (id == lockTimer_) return holdLock();
  if (id != closeTimer_ || process_ == 0) return;
  if (asked_) return signalProcess(SIGKILL);
  asked_ = true;
  signalProcess(SIGTERM);
  closeTimer_ = timer(instance_.settings().shutdownMillis / 2);
}

void JupyterSession::signalProcess(int signo) noexcept {
  guard(nullptr, [&] { signal(process_, signo); });
}

void JupyterSession::onReady(const std::string& about) {
  log(HEARTH_LOG_INFO, "the kernel is ready: " + about);
  state(HEARTH_IDLE);
}

void JupyterSession::onOutput(std::uint64_t statement, std::int32_t stream, std::string_view text) {
  output(statement, stream, text);
}

void JupyterSession::onDisplay(std::uint64_t statement, std::string_view bundle) {
  display(statement, bundle);
}

void JupyterSession::onDisplayChanged(std::uint64_t statement, std::size_t index,
                                      std::string_view bundle) {
  displayChange(statement, index, bundle);
}

void JupyterSession::onDone(std::uint64_t statement, std::int32_t outcome,
                            std::string_view bundle) {
  done(statement, outcome, bundle);
}

void JupyterSession::onReply(std::uint64_t request, std::string_view json) {
  reply(request, HEARTH_OK, json);
}

void JupyterSession::onNote(std::int32_t level, const std::string& text) {
  log(level, text);
}

}  // namespace hearth::jupyter
