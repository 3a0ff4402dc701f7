// linkecho2: a second interpreter in the driver of a linkecho session, on a channel of its own.
#include <cstdint>
#include <hearth/plugin.hpp>
#include <string>
#include <string_view>

namespace {

constexpr std::uint8_t frameExecute = 16, frameInterrupt = 17, frameStop = 20, frameReady = 32,
                       frameOutput = 33, frameDone = 35;

class Follower final : public hearth::Session,
                       public hearth::Interruptible,
                       public hearth::Resumable {
 public:
  using hearth::Session::Session;

  void launch() override { channel_ = join("{}"); }

  void execute(std::uint64_t statement, std::string_view code, std::string_view) override {
    if (channel_ == 0) throw hearth::Error(HEARTH_E_STATE, "its channel has ended");
    send(channel_, frameExecute, statement, code);
  }

  // The driver passes over what it has started already.
  void resume(std::uint64_t statement, std::string_view code, std::string_view options) override {
    execute(statement, code, options);
  }

  void interrupt(std::uint64_t statement) override {
    if (channel_ != 0) send(channel_, frameInterrupt, statement, {});
  }

  void onFrame(hearth_chan_h, std::int32_t event, const hearth::Frame& frame) override {
    if (event == HEARTH_CHAN_UP && !args().recoveryBlob.empty()) state(HEARTH_IDLE);
    if (event == HEARTH_CHAN_CLOSED) closed();
    if (event != HEARTH_CHAN_FRAME) return;
    if (frame.type == frameReady) {
      save("{}");
      state(HEARTH_IDLE);
    }
    if (frame.type == frameOutput) output(frame.statement, frame.outcome, frame.payload);
    if (frame.type == frameDone) done(frame.statement, frame.outcome, frame.payload);
  }

  void close(std::int32_t mode) override {
    closing_ = true;
    if (channel_ == 0 || mode == HEARTH_CLOSE_DETACH) return state(HEARTH_CLOSED);
    hearth::guard(nullptr, [this] { send(channel_, frameStop, 0, {}); });  // the driver may be gone
    closeChannel(channel_);
  }

 private:
  void closed() {
    channel_ = 0;
    state(closing_ ? HEARTH_CLOSED : HEARTH_DEAD);
  }

  hearth_chan_h channel_ = 0;
  bool closing_ = false;
};

}  // namespace

HEARTH_PLUGIN(Follower, R"({
  "id": "linkecho2", "version": "1.0.0",
  "kinds": ["linkecho2"], "leader": "linkecho", "mime": ["text/plain"]
})")
