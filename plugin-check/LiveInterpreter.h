// One interpreter on the real host, driven step by step by a check.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugin/Interpreter.h"

namespace hearth::check {

/// Called from the check's thread; what it does runs on the session's strand and is waited for. A
/// plugin that refuses gives host::PluginError.
class LiveInterpreter final : private host::InterpreterOwner {
 public:
  struct Done {
    std::int32_t outcome = HEARTH_DONE_OK;
    std::string bundle;
    std::string output;  ///< what it had printed by then
    unsigned displays = 0;
  };
  struct State {
    std::int32_t state;
    std::string detail;
  };
  struct Reply {
    hearth_status status;
    std::string json;
  };

  LiveInterpreter(host::PluginHost& plugins, const host::PluginInstance& instance,
                  host::SessionServices services, const host::OpenArguments& arguments);
  ~LiveInterpreter() override;  ///< releases
  LiveInterpreter(const LiveInterpreter&) = delete;
  LiveInterpreter& operator=(const LiveInterpreter&) = delete;

  bool canInterrupt() const { return interpreter_->canInterrupt(); }
  bool canComplete() const { return interpreter_->canComplete(); }
  bool canInspect() const { return interpreter_->canInspect(); }
  bool canResume() const { return interpreter_->canResume(); }
  bool canExportDriver() const { return interpreter_->canExportDriver(); }
  bool isReleased() const { return released_; }

  /// Statements and requests get numbers from here on: none of an earlier run's.
  void numberFrom(std::uint64_t first) { nextStatement_ = nextRequest_ = first; }
  void launch();
  std::uint64_t execute(const std::string& code);  ///< its number
  void resume(std::uint64_t statement, const std::string& code);
  void interrupt(std::uint64_t statement);
  std::uint64_t complete(const std::string& code, std::uint64_t cursor);  ///< its request
  std::uint64_t inspect(const std::string& code, std::uint64_t cursor);
  std::uint64_t exportDriver();
  void close(std::int32_t mode);
  void killProcesses();
  void release();  ///< again: nothing

  /// The first state that is not HEARTH_WAITING and was not returned before; none in time: nothing.
  std::optional<State> nextState(std::chrono::milliseconds time);
  std::optional<Done> done(std::uint64_t statement, std::chrono::milliseconds time);
  std::optional<Reply> reply(std::uint64_t request, std::chrono::milliseconds time);
  /// True once the statement has printed or shown something.
  bool hasOutput(std::uint64_t statement, std::chrono::milliseconds time);
  /// The blob, once there is one; empty where none comes.
  std::string saved(std::chrono::milliseconds time);
  std::uint16_t channel();
  std::optional<host::ProcessIdentity> process();

 private:
  void run(const std::function<void()>& call);
  template <class Ready>
  bool wait(std::chrono::milliseconds time, Ready ready);

  void onState(host::Interpreter&, std::int32_t state, std::string detail) override;
  void onOutput(host::Interpreter&, std::uint64_t statement, int stream, std::string text,
                std::uint64_t frame) override;
  void onDisplay(host::Interpreter&, std::uint64_t statement, std::string bundle,
                 std::uint64_t frame) override;
  void onDisplayChange(host::Interpreter&, std::uint64_t statement, std::uint64_t index,
                       std::string bundle, std::uint64_t frame) override;
  void onProgress(host::Interpreter&, std::uint64_t statement, double fraction) override;
  void onDone(host::Interpreter&, std::uint64_t statement, std::int32_t outcome,
              std::string bundle) override;
  void onReply(host::Interpreter&, std::uint64_t request, hearth_status status,
               std::string json) override;
  void onSave(host::Interpreter&, std::string blob) override;

  host::SessionServices services_;
  std::shared_ptr<host::Interpreter> interpreter_;
  bool released_ = false;
  std::uint64_t nextStatement_ = 1, nextRequest_ = 1;

  std::mutex mutex_;  // all below
  std::condition_variable changed_;
  std::vector<State> states_;
  std::size_t statesSeen_ = 0;
  std::map<std::uint64_t, Done> shown_;  // what running statements have shown
  std::map<std::uint64_t, Done> dones_;
  std::map<std::uint64_t, Reply> replies_;
  std::string saved_;
};

}  // namespace hearth::check
