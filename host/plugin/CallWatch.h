// Calls into plugins that do not come back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plugin/PluginCall.h"
#include "support/EventLoop.h"

namespace hearth::host {

/// Knows which calls run. One that takes its time has the loop lend a thread in its place; one that
/// is over the limit is logged while it runs, told to its session, and counted against its plugin.
/// A thread of its own, as all others may be held up; it sleeps for as long as no call runs, and
/// until one is due. Thread-safe.
class CallWatch {
 public:
  using Clock = std::chrono::steady_clock;
  /// Why the calls of a session hang, once one does; empty once it has returned. On any thread.
  using Told = std::function<void(const std::string&)>;

  struct Options {
    std::chrono::milliseconds slow{200};    ///< until a thread is lent
    std::chrono::milliseconds limit{5000};  ///< until a call hangs; 0: never
    std::size_t most = 16;                  ///< of one plugin, until it gets no new sessions
  };

  CallWatch(EventLoop& loop, Options options);
  ~CallWatch();
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;

  /// A call, for as long as this lives. `call` and `told` outlive it.
  class Running {
   public:
    Running(CallWatch* watch, const PluginCall& call, const Told* told);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    friend class CallWatch;
    CallWatch* const watch_;
    const PluginCall& call_;
    const Told* const told_;
    const bool ofLoop_;
    const Clock::time_point start_ = Clock::now();
    Clock::time_point nextWord_;
    std::size_t place_ = 0;
    bool hangs_ = false;
  };

  /// Why the plugin gets no new sessions; empty where it does.
  std::string refusal(const std::string& instance) const;
  /// One line for each call that hangs.
  std::vector<std::string> hanging() const;

 private:
  void begin(Running& call);
  void end(Running& call);
  void run();
  /// With the mutex held: what is due now; the next time something will be.
  Clock::time_point look(Clock::time_point now, std::size_t& held,
                         std::vector<std::pair<std::string, Told>>& news);
  void retell(const std::vector<std::pair<std::string, Told>>& news);

  EventLoop& loop_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable due_;
  std::vector<Running*> calls_;
  std::map<std::string, std::size_t> hanging_;         // by instance
  Clock::time_point next_ = Clock::time_point::max();  // when the thread wakes by itself
  bool changed_ = false;                               // it is to wake before
  bool over_ = false;
  std::thread thread_;
};

}  // namespace hearth::host
