#include "LiveInterpreter.h"

#include <exception>
#include <future>
#include <utility>

#include "plugin/PluginHost.h"

namespace hearth::check {

using std::chrono::milliseconds;

LiveInterpreter::LiveInterpreter(host::PluginHost& plugins, const host::PluginInstance& instance,
                                 host::SessionServices services,
                                 const host::OpenArguments& arguments)
    : services_(std::move(services)) {
  run([&] {
    interpreter_ = host::Interpreter::open(plugins, instance, services_, *this, arguments);
  });
}

LiveInterpreter::~LiveInterpreter() {
  if (!interpreter_) return;
  release();
  // What was posted for it is past when this has run.
  run([this] { interpreter_.reset(); });
}

void LiveInterpreter::run(const std::function<void()>& call) {
  std::promise<void> ran;
  auto over = ran.get_future();
  host::EventLoop::post(services_.strand, [&] {
    try {
      call();
      ran.set_value();
    } catch (...) {
      ran.set_exception(std::current_exception());
    }
  });
  over.get();
}

template <class Ready>
bool LiveInterpreter::wait(milliseconds time, Ready ready) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, time, ready);
}

void LiveInterpreter::launch() {
  run([this] { interpreter_->launch(); });
}
std::uint64_t LiveInterpreter::execute(const std::string& code) {
  const std::uint64_t statement = nextStatement_++;
  run([&] { interpreter_->execute(statement, code, {}); });
  return statement;
}
void LiveInterpreter::resume(std::uint64_t statement, const std::string& code) {
  nextStatement_ = std::max(nextStatement_, statement + 1);
  run([&] { interpreter_->resume(statement, code, {}); });
}
void LiveInterpreter::interrupt(std::uint64_t statement) {
  run([&] { interpreter_->interrupt(statement); });
}
std::uint64_t LiveInterpreter::complete(const std::string& code, std::uint64_t cursor) {
  const std::uint64_t request = nextRequest_++;
  run([&] { interpreter_->complete(request, code, cursor); });
  return request;
}
std::uint64_t LiveInterpreter::inspect(const std::string& code, std::uint64_t cursor) {
  const std::uint64_t request = nextRequest_++;
  run([&] { interpreter_->inspect(request, code, cursor, 0); });
  return request;
}
std::uint64_t LiveInterpreter::exportDriver() {
  const std::uint64_t request = nextRequest_++;
  run([&] { interpreter_->exportDriver(request); });
  return request;
}
void LiveInterpreter::close(std::int32_t mode) {
  run([&] { interpreter_->close(mode); });
}
void LiveInterpreter::killProcesses() {
  run([this] { interpreter_->killProcesses(); });
}
void LiveInterpreter::release() {
  if (std::exchange(released_, true)) return;
  run([this] { interpreter_->release(); });
}
std::uint16_t LiveInterpreter::channel() {
  std::uint16_t number = 0;
  run([&] { number = interpreter_->channel(); });
  return number;
}
std::optional<host::ProcessIdentity> LiveInterpreter::process() {
  std::optional<host::ProcessIdentity> identity;
  run([&] { identity = interpreter_->process(); });
  return identity;
}

std::optional<LiveInterpreter::State> LiveInterpreter::nextState(milliseconds time) {
  if (!wait(time, [this] { return states_.size() > statesSeen_; })) return std::nullopt;
  const std::lock_guard<std::mutex> lock(mutex_);
  return states_[statesSeen_++];
}
std::optional<LiveInterpreter::Done> LiveInterpreter::done(std::uint64_t statement,
                                                           milliseconds time) {
  if (!wait(time, [&] { return dones_.count(statement) != 0; })) return std::nullopt;
  const std::lock_guard<std::mutex> lock(mutex_);
  return dones_[statement];
}
std::optional<LiveInterpreter::Reply> LiveInterpreter::reply(std::uint64_t request,
                                                             milliseconds time) {
  if (!wait(time, [&] { return replies_.count(request) != 0; })) return std::nullopt;
  const std::lock_guard<std::mutex> lock(mutex_);
  return replies_[request];
}
bool LiveInterpreter::hasOutput(std::uint64_t statement, milliseconds time) {
  return wait(time, [&] {
    const auto found = shown_.find(statement);
    return found != shown_.end() && !found->second.output.empty();
  });
}
std::string LiveInterpreter::saved(milliseconds time) {
  wait(time, [this] { return !saved_.empty(); });
  const std::lock_guard<std::mutex> lock(mutex_);
  return saved_;
}

void LiveInterpreter::onState(host::Interpreter&, std::int32_t state, std::string detail) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (state == HEARTH_WAITING) return;
  states_.push_back({state, std::move(detail)});
  changed_.notify_all();
}
void LiveInterpreter::onOutput(host::Interpreter&, std::uint64_t statement, int, std::string text,
                               std::uint64_t) {
  const std::lock_guard<std::mutex> lock(mutex_);
  shown_[statement].output += text;
  changed_.notify_all();
}
void LiveInterpreter::onDisplay(host::Interpreter&, std::uint64_t statement, std::string,
                                std::uint64_t) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++shown_[statement].displays;
  changed_.notify_all();
}
void LiveInterpreter::onDisplayChange(host::Interpreter&, std::uint64_t, std::uint64_t, std::string,
                                      std::uint64_t) {}
void LiveInterpreter::onProgress(host::Interpreter&, std::uint64_t, double) {}
void LiveInterpreter::onDone(host::Interpreter&, std::uint64_t statement, std::int32_t outcome,
                             std::string bundle) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Done done = shown_[statement];
  done.outcome = outcome;
  done.bundle = std::move(bundle);
  dones_[statement] = std::move(done);
  changed_.notify_all();
}
void LiveInterpreter::onReply(host::Interpreter&, std::uint64_t request, hearth_status status,
                              std::string json) {
  const std::lock_guard<std::mutex> lock(mutex_);
  replies_[request] = {status, std::move(json)};
  changed_.notify_all();
}
void LiveInterpreter::onSave(host::Interpreter&, std::string blob) {
  const std::lock_guard<std::mutex> lock(mutex_);
  saved_ = std::move(blob);
  changed_.notify_all();
}

}  // namespace hearth::check
