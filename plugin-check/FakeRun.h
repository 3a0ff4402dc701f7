// A plugin's life under the kit's fake host: no process starts and no time passes.
#pragma once

#include <hearth/kit/fake_host.hpp>
#include <memory>
#include <set>
#include <string>

#include "Border.h"
#include "Check.h"
#include "Plugin.h"

namespace hearth::check {

/// One instance and at most one session of it at a time. The world that the plugin asks for is
/// played: a process that is signalled ends, a channel that is closed is closed.
class FakeRun {
 public:
  explicit FakeRun(const Context& context);
  ~FakeRun();
  FakeRun(const FakeRun&) = delete;
  FakeRun& operator=(const FakeRun&) = delete;

  kit::FakeHost& host() { return host_; }
  Border& border() { return border_; }

  /// Under `table` in place of the fake host's, where that is given. Throws Failure with the
  /// plugin's reason where it refuses.
  void create(const hearth_host* table = nullptr);
  void destroy() { instance_.reset(); }
  /// Throws Skipped where the plugin refuses: it may need what is not here.
  void open(hearth_session_h handle = 1);
  void open(hearth_session_h handle, kit::FakeSession::Options options);
  kit::FakeSession& session() { return *session_; }
  void release() { session_.reset(); }

  /// What open() is given.
  kit::FakeSession::Options options() const;
  /// Lets events of the world reach the plugin until `over` is true, or for a second of real time
  /// and an hour of the plugin's.
  template <class Over>
  bool play(Over over) {
    for (int round = 0; round < rounds; ++round) {
      if (over()) return true;
      step(round);
    }
    return over();
  }
  void play() {
    play([] { return false; });
  }
  /// Closes, plays and tells whether the plugin said HEARTH_CLOSED.
  bool close(std::int32_t mode);
  bool said(std::int32_t state);
  std::size_t dones();
  /// Ends all processes that run, as if they had failed.
  void killProcesses();
  std::set<hearth_proc_h> running();

 private:
  static constexpr int rounds = 40;
  void step(int round);

  const Context& context_;
  const Plugin& plugin_;
  kit::FakeHost host_;
  Border& border_;
  std::unique_ptr<kit::FakeInstance> instance_;
  std::unique_ptr<kit::FakeSession> session_;
  std::size_t signalsSeen_ = 0, closesSeen_ = 0;
  std::set<hearth_proc_h> ended_;
};

}  // namespace hearth::check
