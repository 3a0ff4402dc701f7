// One interpreter of a session: the host's side of a plugin's hearth_session.
#pragma once

#include <hearth/plugin.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/CallWatch.h"
#include "plugin/DriverLink.h"
#include "plugin/EventInbox.h"
#include "plugin/PluginInstance.h"
#include "process/ForeignProcess.h"
#include "process/LogFile.h"
#include "process/Process.h"
#include "support/EventLoop.h"
#include "support/RateLimit.h"
#include "support/Timer.h"

namespace hearth::host {

class Interpreter;
class PluginHost;

/// A plugin refused a call; the text is the plugin's.
class PluginError : public std::runtime_error {
 public:
  PluginError(hearth_status code, const std::string& text)
      : std::runtime_error(text), code_(code) {}
  hearth_status code() const { return code_; }

 private:
  hearth_status code_;
};

/// Who runs the interpreter. Called on the session's strand, never on the stack of a call into the
/// interpreter but for release(), which ends open statements, and not after that.
class InterpreterOwner {
 public:
  virtual ~InterpreterOwner() = default;
  virtual void onState(Interpreter&, std::int32_t state, std::string detailJson) = 0;
  /// `frame` here and below: number of the link's frame that it came of; 0: of none.
  virtual void onOutput(Interpreter&, std::uint64_t statement, int stream, std::string text,
                        std::uint64_t frame) = 0;
  /// A MIME bundle beside the result, a JSON object.
  virtual void onDisplay(Interpreter&, std::uint64_t statement, std::string bundle,
                         std::uint64_t frame) = 0;
  virtual void onDisplayChange(Interpreter&, std::uint64_t statement, std::uint64_t index,
                               std::string bundle, std::uint64_t frame) = 0;
  virtual void onProgress(Interpreter&, std::uint64_t statement, double fraction) = 0;
  /// Exactly once for each statement that execute() took.
  virtual void onDone(Interpreter&, std::uint64_t statement, std::int32_t outcome,
                      std::string bundle) = 0;
  virtual void onReply(Interpreter&, std::uint64_t request, hearth_status status,
                       std::string json) = 0;
  virtual void onSave(Interpreter&, std::string blob) = 0;
};

/// The processes of a session, for who cannot wait for its strand.
struct SessionProcesses {
  std::mutex mutex;
  std::vector<std::weak_ptr<Process>> all;

  void add(const std::shared_ptr<Process>& process) {
    const std::lock_guard<std::mutex> lock(mutex);
    all.erase(
        std::remove_if(all.begin(), all.end(), [](const auto& gone) { return gone.expired(); }),
        all.end());
    all.push_back(process);
  }
};

/// What all interpreters of a session share.
struct SessionServices {
  std::string sessionId;
  std::string folder;  ///< private folder of the session, absolute
  EventLoop* loop = nullptr;
  EventLoop::Strand strand;
  std::shared_ptr<DriverLink> link;
  std::shared_ptr<LogFile> log;
  CallWatch* watch = nullptr;  ///< null: calls are not watched
  CallWatch::Told callHangs;
  std::shared_ptr<SessionProcesses> processes;
};

struct OpenArguments {
  std::string kind;        ///< as this deployment offers it
  std::string pluginKind;  ///< as the plugin's descriptor has it
  std::string user;
  std::string optionsJson;
  std::string driverJson;
  std::string recoveryBlob;
  std::uint16_t channel = 0;               ///< of one that is taken up: the one it had; 0: none
  std::optional<ProcessIdentity> process;  ///< likewise
};

/// All methods on the session's strand. Calls throw PluginError where the plugin says no.
class Interpreter : public std::enable_shared_from_this<Interpreter> {
 public:
  /// Calls the plugin's open.
  static std::shared_ptr<Interpreter> open(PluginHost& host, const PluginInstancePtr& instance,
                                           SessionServices services, InterpreterOwner& owner,
                                           const OpenArguments& arguments);
  ~Interpreter();

  const std::string& kind() const { return kind_; }
  const std::string& pluginName() const;
  bool canComplete() const;
  bool canInspect() const;
  bool canShareData() const;
  bool canInterrupt() const;
  bool canExportDriver() const;
  bool canResume() const;
  /// Its channel of the session's link; 0 without one.
  std::uint16_t channel() const;
  /// The process that it has started last, if it is there.
  const std::optional<ProcessIdentity>& process() const { return lastProcess_; }

  void launch();
  void execute(std::uint64_t statement, std::string_view code, std::string_view optionsJson);
  /// What has come of an earlier run of the host is here again.
  void takenUp();
  /// For a statement that an earlier run of the host has given to execute().
  void resume(std::uint64_t statement, std::string_view code, std::string_view optionsJson);
  void interrupt(std::uint64_t statement);
  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor);
  void inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor, int detail);
  void sharedData(std::uint64_t request);
  void exportDriver(std::uint64_t request);
  void close(std::int32_t mode);
  /// Ends its processes with SIGKILL, for when close() was not enough; also one that it has not
  /// adopted.
  void killProcesses();
  /// Ends open statements as lost, calls the plugin's release; no event afterwards. Idempotent.
  void release();

 private:
  friend class PluginHost;
  struct Proc;
  struct Chan;

  Interpreter(PluginHost& host, PluginInstancePtr instance, SessionServices services,
              InterpreterOwner& owner, std::string kind);

  /// Gives a statement to the plugin by one of the slots that take one.
  void begin(const char* slot, decltype(hearth_plugin::execute) call, std::uint64_t statement,
             std::string_view code, std::string_view optionsJson);
  template <typename Call>
  void check(const char* slot, Call call, std::uint64_t statement = 0);
  template <typename Call>
  auto timed(const char* slot, Call call, std::uint64_t statement = 0);

  // The host's table, from PluginHost. Any thread unless said otherwise there.
  void postState(std::int32_t state, std::string detail);
  void postOutput(std::uint64_t statement, int stream, std::string text);
  void postDisplay(std::uint64_t statement, std::string bundle);
  void postDisplayChange(std::uint64_t statement, std::uint64_t index, std::string bundle);
  void postProgress(std::uint64_t statement, double fraction);
  void postDone(std::uint64_t statement, std::int32_t outcome, std::string bundle);
  void postReply(std::uint64_t request, hearth_status status, std::string json);
  void postSave(std::string blob);
  std::uint64_t spawn(const hearth_spawn& what);
  std::uint64_t frameNow() const;
  std::uint64_t adopt();  ///< 0: it is gone
  Process::Events processEvents(std::uint64_t handle, bool logsStdout);
  std::uint64_t startTimer(std::uint32_t ms);
  void offerChannel(const std::string& optionsJson, hearth_offer& offer);
  std::uint64_t joinChannel(std::string openJson);
  static bool sendOn(const Chan& chan, const hearth_frame& frame);
  void closeChannel(std::uint64_t handle);

  void post(PluginEvent event);
  void takeEvent();
  void give(PluginEvent event);
  void logLine(std::int32_t level, std::string line);
  /// Throws PluginError off the strand, where the plugin has no business with a [session] call.
  void requireStrand(const char* call) const;
  DriverLink::Channel channelEvents(std::uint64_t handle);
  void chanEvent(std::uint64_t handle, std::int32_t event, const Frame* frame);
  void finishStatement(std::uint64_t statement, std::int32_t outcome, std::string bundle);

  PluginHost& host_;
  const PluginInstancePtr held_;
  const PluginInstance& instance_;  // the same
  SessionServices services_;
  InterpreterOwner& owner_;
  std::string kind_;
  std::uint64_t handle_ = 0;
  hearth_session* self_ = nullptr;  // the plugin's
  std::uint16_t oldChannel_ = 0;
  std::optional<ProcessIdentity> oldProcess_, lastProcess_;
  bool takenUp_ = false;
  bool takingUp_ = false;  // and what is under way may keep the host down
  bool released_ = false;
  std::set<std::uint64_t> open_;  // statements taken and not done
  std::map<std::uint64_t, std::shared_ptr<Proc>> procs_;
  std::map<std::uint64_t, std::shared_ptr<Chan>> chans_;
  std::map<std::uint64_t, std::unique_ptr<Timer>> timers_;
  EventInbox inbox_;
  RateLimit logLimit_;
  std::uint64_t nextTimer_ = 1;
};

}  // namespace hearth::host
