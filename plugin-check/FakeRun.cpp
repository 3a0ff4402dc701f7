#include "FakeRun.h"

#include <signal.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <fstream>
#include <thread>

namespace hearth::check {

namespace fs = std::filesystem;

FakeRun::FakeRun(const Context& context)
    : context_(context),
      plugin_(Plugin::of(context.subject)),
      border_(Border::make(plugin_.table())) {
  fs::create_directories(context.scratch / "session");
  host_.linkFile = (context.scratch / "session" / "link.json").string();
  std::ofstream(host_.linkFile) << "{}";
}

FakeRun::~FakeRun() {
  release();
  destroy();
}

void FakeRun::create(const hearth_host* table) {
  const std::string config = plugin_.configJson(context_.subject);
  try {
    instance_ = std::make_unique<kit::FakeInstance>(
        border_.table(), table != nullptr ? *table : host_.table(), config);
  } catch (const std::runtime_error& error) {
    throw Failure(error.what());
  }
}

kit::FakeSession::Options FakeRun::options() const {
  kit::FakeSession::Options options;
  options.kind = plugin_.kind(context_.subject);
  options.optionsJson =
      plugin_.optionsJson(context_.subject, (context_.scratch / "session").string());
  if (!plugin_.descriptor().leader.empty())
    options.driverJson = boost::json::serialize(context_.subject.quirks.driver);
  return options;
}

void FakeRun::open(hearth_session_h handle) {
  open(handle, options());
}

void FakeRun::open(hearth_session_h handle, kit::FakeSession::Options options) {
  try {
    session_ = std::make_unique<kit::FakeSession>(*instance_, host_, handle, std::move(options));
  } catch (const std::runtime_error& error) {
    throw Skipped(std::string(error.what()) + " (what does it need? the quirks file can say)");
  }
}

bool FakeRun::said(std::int32_t state) {
  const auto held = host_.hold();
  return std::any_of(host_.states.begin(), host_.states.end(),
                     [state](const auto& said) { return said.state == state; });
}

std::size_t FakeRun::dones() {
  const auto held = host_.hold();
  return host_.dones.size();
}

std::set<hearth_proc_h> FakeRun::running() {
  const auto held = host_.hold();
  std::set<hearth_proc_h> found;
  for (const auto& spawn : host_.spawns)
    if (ended_.count(spawn.process) == 0) found.insert(spawn.process);
  return found;
}

void FakeRun::killProcesses() {
  for (const hearth_proc_h process : running()) {
    ended_.insert(process);
    if (plugin_.table().on_proc_exit != nullptr) session_->exit(process, -1, SIGKILL);
  }
}

void FakeRun::step(int round) {
  using namespace std::chrono_literals;
  std::set<hearth_proc_h> signalled;
  std::set<hearth_chan_h> closed;
  {
    const auto held = host_.hold();
    for (; signalsSeen_ < host_.signals.size(); ++signalsSeen_) {
      const auto& signal = host_.signals[signalsSeen_];
      if (signal.signo == SIGTERM || signal.signo == SIGKILL) signalled.insert(signal.process);
    }
    for (; closesSeen_ < host_.closedChannels.size(); ++closesSeen_)
      closed.insert(host_.closedChannels[closesSeen_]);
  }
  for (const hearth_chan_h channel : closed)
    if (plugin_.table().on_chan_frame != nullptr) session_->channel(channel, HEARTH_CHAN_CLOSED);
  for (const hearth_proc_h process : signalled)
    if (ended_.insert(process).second && plugin_.table().on_proc_exit != nullptr)
      session_->exit(process, -1, SIGTERM);
  if (plugin_.table().on_timer != nullptr) session_->advance(round < rounds / 2 ? 1000 : 180000);
  std::this_thread::sleep_for(round < 4 ? 0ms : 25ms);  // for plugins with threads of their own
}

bool FakeRun::close(std::int32_t mode) {
  session_->close(mode);
  return play([this] { return said(HEARTH_CLOSED); });
}

}  // namespace hearth::check
