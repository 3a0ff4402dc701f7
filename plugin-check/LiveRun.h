// A plugin's life on the real host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "Border.h"
#include "Check.h"
#include "LiveHost.h"
#include "LiveInterpreter.h"
#include "Plugin.h"

namespace hearth::check {

/// Instances of the plugin, and of its leader where it has one, and sessions of them. What a step
/// does not reach in time, or the plugin refuses, is a Failure.
class LiveRun {
 public:
  /// What a host keeps of an interpreter, for the one after it.
  struct Kept {
    std::string blob;
    std::uint16_t channel = 0;
    std::optional<host::ProcessIdentity> process;
  };

  /// Throws Skipped where nothing can be launched: an environment variable is missing, or the
  /// leader. With `host`, that is used and outlives this.
  explicit LiveRun(const Context& context, LiveHost* host = nullptr);
  ~LiveRun();
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  Border& border() { return border_; }
  LiveHost& host() { return *host_; }

  /// A new session. A follower's leader is launched before. `instance` other than 0: of another
  /// instance of the plugin.
  LiveInterpreter& opened(std::size_t instance = 0);
  LiveInterpreter& launched(std::size_t instance = 0);
  /// The first session of an earlier run in the same folder, opened with what was kept of it, and
  /// ready. Before all other sessions, of plugins that have no leader.
  LiveInterpreter& takenUp(const Kept& kept);
  void launch(LiveInterpreter& repl);  ///< and waits for HEARTH_IDLE
  void idle(LiveInterpreter& repl);    ///< waits for it

  /// Throws Skipped where the plugin has no such sample.
  const Sample& sample(const char* name) const;
  /// Runs a sample to its end and looks for what it expects; ok and output end well.
  LiveInterpreter::Done execute(LiveInterpreter& repl, const char* sample);
  /// Gives the sample; its number.
  std::uint64_t begin(LiveInterpreter& repl, const char* sample);
  LiveInterpreter::Done finish(LiveInterpreter& repl, std::uint64_t statement);
  /// Runs all samples that end by themselves, whatever comes of them: for checks of something else.
  void exercise(LiveInterpreter& repl);
  void interruptSlow(LiveInterpreter& repl);
  void complete(LiveInterpreter& repl);
  void inspect(LiveInterpreter& repl);
  /// Waits for HEARTH_CLOSED, and releases.
  void close(LiveInterpreter& repl, std::int32_t mode);
  /// Ends all sessions, leaders last, and instances.
  void end();

 private:
  struct Session;
  Session& session();
  const host::PluginInstance& instance(std::size_t number);
  host::PluginInstance make(Border& border, const Subject& subject);
  std::string driverJson(Session& session);
  void idle(LiveInterpreter& repl, const Subject& subject);

  const Context& context_;
  const Plugin& plugin_;
  Border& border_;
  Border* leaderBorder_ = nullptr;
  std::unique_ptr<LiveHost> ownHost_;
  LiveHost* host_;
  std::vector<std::unique_ptr<host::CatalogEntry>> entries_;
  std::vector<std::unique_ptr<host::PluginInstance>> instances_;  // null: not made yet
  std::unique_ptr<host::PluginInstance> leader_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace hearth::check
