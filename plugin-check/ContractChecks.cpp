// The life of sessions: opened, launched, closed, released, alone and beside others.
#include <thread>

#include "Check.h"
#include "FakeRun.h"
#include "LiveRun.h"

namespace hearth::check {

namespace {

using namespace std::chrono_literals;

/// Long enough for a call that should not come.
constexpr auto settle = 300ms;

void openRelease(const Context& context) {
  FakeRun run(context);
  run.create();
  run.open(1);
  run.release();
  run.open(2);
  run.release();
  run.destroy();
  std::this_thread::sleep_for(settle);
  run.border().faults().hold({Rule::lateCall, Rule::handle, Rule::throwing});
  if (run.border().processes() > 0) throw Failure("open started a process");
  if (!run.host().states.empty()) throw Failure("a state was reported before launch");
}

void launchIdle(const Context& context) {
  LiveRun run(context);
  LiveInterpreter& repl = run.launched();
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::value, Rule::handle});
}

void closeOpened(const Context& context, std::int32_t mode) {
  LiveRun run(context);
  run.close(run.opened(), mode);
}
void closeLaunching(const Context& context, std::int32_t mode) {
  LiveRun run(context);
  LiveInterpreter& repl = run.opened();
  repl.launch();
  run.close(repl, mode);
}
void closeIdle(const Context& context, std::int32_t mode) {
  LiveRun run(context);
  run.close(run.launched(), mode);
}
void closeRunning(const Context& context, std::int32_t mode) {
  LiveRun run(context);
  run.sample("slow");
  LiveInterpreter& repl = run.launched();
  const auto statement = run.begin(repl, "slow");
  run.close(repl, mode);
  if (!repl.done(statement, 5s)) throw Failure("the statement that ran was never ended");
}
template <void (*Run)(const Context&, std::int32_t), std::int32_t Mode>
void closing(const Context& context) {
  Run(context, Mode);
}

void releaseEarly(const Context& context) {
  LiveRun run(context);
  run.opened().release();
  LiveInterpreter& launching = run.opened();
  launching.launch();
  launching.killProcesses();
  launching.release();
  LiveInterpreter& idle = run.launched();
  if (context.subject.quirks.sample("slow") != nullptr) run.begin(idle, "slow");
  idle.killProcesses();
  idle.release();
  run.end();
  std::this_thread::sleep_for(settle);
  run.border().faults().hold({Rule::lateCall});
}

void lateCalls(const Context& context) {
  LiveRun run(context);
  LiveInterpreter& repl = run.launched();
  run.exercise(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  std::this_thread::sleep_for(settle);
  run.end();
  std::this_thread::sleep_for(settle);
  run.border().faults().hold({Rule::lateCall, Rule::handle});
}

void twoInstances(const Context& context) {
  LiveRun run(context);
  LiveInterpreter& first = run.launched(0);
  LiveInterpreter& second = run.launched(1);
  if (context.subject.quirks.sample("ok") != nullptr) {
    run.execute(first, "ok");
    run.execute(second, "ok");
  }
  run.close(first, HEARTH_CLOSE_GRACEFUL);
  if (context.subject.quirks.sample("ok") != nullptr) run.execute(second, "ok");
  run.close(second, HEARTH_CLOSE_GRACEFUL);
}

void parallel(const Context& context) {
  LiveRun run(context);
  run.sample("ok");
  std::vector<LiveInterpreter*> repls;
  for (int i = 0; i < context.subject.quirks.parallel; ++i) repls.push_back(&run.opened());
  for (auto* repl : repls) repl->launch();
  for (auto* repl : repls) run.idle(*repl);
  std::vector<std::uint64_t> statements;
  for (int round = 0; round < 3; ++round) {
    statements.clear();
    for (auto* repl : repls) statements.push_back(run.begin(*repl, "ok"));
    for (std::size_t i = 0; i < repls.size(); ++i) {
      const auto done = run.finish(*repls[i], statements[i]);
      if (done.bundle.find(run.sample("ok").expect) == std::string::npos)
        throw Failure("in parallel the sample \"ok\" gave " + done.bundle);
    }
  }
  for (auto* repl : repls) repl->close(HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::oneDone, Rule::outputOrder, Rule::handle});
}

void threads(const Context& context) {
  LiveRun run(context);
  LiveInterpreter& repl = run.launched();
  run.exercise(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::thread});
}

void returnsSoon(const Context& context) {
  // Thrice: what a busy machine has made slow once is not slow each time.
  constexpr int tries = 3;
  for (int i = 1;; ++i) {
    LiveRun run(context);
    LiveInterpreter& repl = run.launched();
    run.exercise(repl);
    run.close(repl, HEARTH_CLOSE_GRACEFUL);
    run.end();
    if (!run.border().faults().seen(Rule::slow)) return;
    if (i == tries) run.border().faults().hold({Rule::slow});
  }
}

constexpr const char* closeRule = "close() is answered by HEARTH_CLOSED";
constexpr const char* closeRemedy =
    "Report HEARTH_CLOSED in each state that close() finds you in, at once where nothing runs.";

}  // namespace

std::vector<Check> contractChecks() {
  return {
      {"contract", "open-release", "A session can be opened and released without being launched.",
       "Start nothing in open(); free all in release().", openRelease},
      {"contract", "launch-idle", "launch() leads to HEARTH_IDLE.",
       "Report HEARTH_IDLE once the REPL can take a statement. The host has the time-out.",
       launchIdle},
      {"contract", "close-opened", closeRule, closeRemedy,
       closing<closeOpened, HEARTH_CLOSE_GRACEFUL>},
      {"contract", "close-launching", closeRule, closeRemedy,
       closing<closeLaunching, HEARTH_CLOSE_GRACEFUL>},
      {"contract", "close-idle", closeRule, closeRemedy, closing<closeIdle, HEARTH_CLOSE_GRACEFUL>},
      {"contract", "close-running", closeRule, closeRemedy,
       closing<closeRunning, HEARTH_CLOSE_GRACEFUL>},
      {"contract", "kill-opened", closeRule, closeRemedy, closing<closeOpened, HEARTH_CLOSE_KILL>},
      {"contract", "kill-launching", closeRule, closeRemedy,
       closing<closeLaunching, HEARTH_CLOSE_KILL>},
      {"contract", "kill-running", closeRule, closeRemedy,
       closing<closeRunning, HEARTH_CLOSE_KILL>},
      {"contract", "release-early", "release() may come in any state, without close().",
       "Stop in release() whatever could still call the host.", releaseEarly},
      {"contract", "no-late-call",
       "After release there is no call for the session, after destroy none at all.",
       "Join the threads that report in release() and destroy().", lateCalls},
      {"contract", "two-instances",
       "Two instances, with sessions of each, do not disturb each other.",
       "Keep nothing in globals: it belongs to the instance or to the session.", twoInstances},
      {"contract", "parallel-sessions", "Sessions run in parallel (quirk parallel: how many).",
       "Lock what sessions share; everything else belongs to one session.", parallel},
      {"contract", "session-thread",
       "What is tagged [session] is called in a call of the host only.",
       "Call spawn, timer, chan_offer and the like from launch, execute or an event of that "
       "session.",
       threads},
      {"contract", "calls-return", "No call takes longer than 200 ms.",
       "Wait for nothing: processes, channels and timers come back as events.", returnsSoon},
  };
}

}  // namespace hearth::check
