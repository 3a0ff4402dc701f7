// linkecho: an interpreter for the restart tests. Its driver (driver.cpp) is a process that speaks
// the driver link and outlives the host, so that all of recovery can be seen in milliseconds.
#include <signal.h>

#include <cstdint>
#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>
#include <string>
#include <string_view>

namespace {

constexpr std::uint8_t frameExecute = 16, frameInterrupt = 17, frameStop = 20, frameReady = 32,
                       frameOutput = 33, frameProgress = 34, frameDone = 35;
constexpr std::uint32_t stopTime = 2000;

/// The string member `key` of the configuration, which the host has written without blanks.
std::string pluginFolder(const std::string& config) {
  const std::string key = "\"plugin_dir\":\"";
  const std::size_t begin = config.find(key);
  if (begin == std::string::npos) throw hearth::Error(HEARTH_E_INVALID, "no plugin_dir");
  const std::size_t from = begin + key.size();
  return config.substr(from, config.find('"', from) - from);
}

class LinkEcho final : public hearth::Session,
                       public hearth::Interruptible,
                       public hearth::Leader,
                       public hearth::Resumable {
 public:
  using hearth::Session::Session;

  void launch() override {
    const Offer made = offer();
    channel_ = made.channel;
    if (!args().recoveryBlob.empty()) {  // its driver dials by itself
      process_ = adopt();
      if (process_ == 0) gone("the driver has ended while the host was away");
      return;
    }
    process_ = spawn({pluginFolder(config()) + "/linkecho-driver", made.linkFile});
    save("{}");
  }

  void execute(std::uint64_t statement, std::string_view code, std::string_view) override {
    if (ended_) throw hearth::Error(HEARTH_E_STATE, "the driver is gone");
    send(channel_, frameExecute, statement, code);
  }

  // The driver passes over what it has started already.
  void resume(std::uint64_t statement, std::string_view code, std::string_view options) override {
    execute(statement, code, options);
  }

  void exportDriver(std::uint64_t request) override { reply(request, HEARTH_OK, "{}"); }

  void interrupt(std::uint64_t statement) override {
    send(channel_, frameInterrupt, statement, {});
  }

  void onFrame(hearth_chan_h, std::int32_t event, const hearth::Frame& frame) override {
    if (event == HEARTH_CHAN_UP && !args().recoveryBlob.empty()) ready();
    if (event != HEARTH_CHAN_FRAME) return;
    if (frame.type == frameReady) ready();
    if (frame.type == frameOutput) output(frame.statement, frame.outcome, frame.payload);
    if (frame.type == frameProgress)
      progress(frame.statement, std::stod(std::string(frame.payload)));
    if (frame.type == frameDone) done(frame.statement, frame.outcome, frame.payload);
  }

  void onExit(hearth_proc_h process, std::int32_t status, std::int32_t signo) override {
    if (process != process_) return;
    process_ = 0;
    gone("the driver has ended, status " + std::to_string(status) + ", signal " +
         std::to_string(signo));
  }

  void close(std::int32_t mode) override {
    closing_ = true;
    if (ended_ || channel_ == 0 || mode == HEARTH_CLOSE_DETACH) return state(HEARTH_CLOSED);
    if (mode == HEARTH_CLOSE_KILL && process_ != 0) return signal(process_, SIGKILL);
    send(channel_, frameStop, 0, {});
    closeTimer_ = timer(stopTime);
  }

  void onTimer(std::uint64_t id) override {
    if (id != closeTimer_ || ended_) return;
    if (process_ != 0) return signal(process_, SIGKILL);
    gone("the driver did not answer");
  }

 private:
  void ready() {
    if (!closing_ && !ended_) state(HEARTH_IDLE);
  }

  void gone(const std::string& reason) {
    if (ended_) return;
    ended_ = true;
    if (closing_)
      state(HEARTH_CLOSED);
    else
      state(HEARTH_DEAD, "{\"reason\":" + hearth::quoted(reason) + "}");
  }

  hearth_chan_h channel_ = 0;
  hearth_proc_h process_ = 0;
  std::uint64_t closeTimer_ = 0;
  bool closing_ = false;
  bool ended_ = false;
};

}  // namespace

HEARTH_PLUGIN(LinkEcho, R"({
  "id": "linkecho", "version": "1.0.0",
  "kinds": ["linkecho"], "mime": ["text/plain"]
})")
