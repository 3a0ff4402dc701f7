// A plugin that throws from everywhere that C++ lets it.
#include <hearth/plugin.hpp>
#include <new>

namespace {

class Throwing final : public hearth::Session,
                       public hearth::Interruptible,
                       public hearth::Completing,
                       public hearth::Leader {
 public:
  Throwing(hearth::Host host, hearth_session_h handle, const hearth_open& open,
           const std::string& config)
      : Session(host, handle, open, config) {
    if (args().kind == "refuse") throw hearth::Error(HEARTH_E_INVALID, "kind refuse is refused");
  }
  void launch() override { throw std::runtime_error("launch failed"); }
  void execute(std::uint64_t, std::string_view code, std::string_view) override {
    if (code == "int") throw 42;
    if (code == "memory") throw std::bad_alloc();
    if (code == "ok") throw hearth::Error(HEARTH_OK, "an error that claims to be none");
    throw hearth::Error(HEARTH_E_LIMIT, std::string(code));
  }
  void interrupt(std::uint64_t) override { throw hearth::Error(HEARTH_E_STATE, "not now"); }
  void complete(std::uint64_t, std::string_view, std::uint64_t) override { throw 42; }
  void exportDriver(std::uint64_t) override { throw hearth::Error(HEARTH_E_IO, "no driver"); }
  void close(std::int32_t) override { throw std::runtime_error("in close"); }
  void onLine(hearth_proc_h, std::int32_t, std::string_view line) override {
    throw std::runtime_error("in line " + std::string(line));
  }
  void onExit(hearth_proc_h, std::int32_t, std::int32_t) override { throw 42; }
  void onFrame(hearth_chan_h, std::int32_t, const hearth::Frame& frame) override {
    throw std::runtime_error("in frame of type " + std::to_string(frame.type));
  }
  void onTimer(std::uint64_t) override { throw std::runtime_error("in timer"); }
};

class ThrowingInstance : public hearth::Instance {
 public:
  ThrowingInstance(hearth::Host host, const std::string& config) : Instance(host, config) {
    if (config.find("refuse") != std::string::npos)
      throw hearth::Error(HEARTH_E_INVALID, "this configuration is refused");
  }
};

}  // namespace

HEARTH_PLUGIN_WITH(Throwing, ThrowingInstance,
                   R"({"id":"throwing","version":"1","kinds":["throwing","refuse"]})")
