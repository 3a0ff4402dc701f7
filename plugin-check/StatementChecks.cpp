// Statements: each taken one ends once, in the way it should.
#include <thread>

#include "Check.h"
#include "LiveRun.h"

namespace hearth::check {

namespace {

using namespace std::chrono_literals;

constexpr auto settle = 300ms;

void oneDone(const Context& context) {
  LiveRun run(context);
  run.sample("ok");
  LiveInterpreter& repl = run.launched();
  run.execute(repl, "ok");
  if (context.subject.quirks.sample("output") != nullptr) run.execute(repl, "output");
  std::this_thread::sleep_for(settle);
  run.execute(repl, "ok");
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::oneDone});
}

void output(const Context& context) {
  LiveRun run(context);
  run.sample("output");
  LiveInterpreter& repl = run.launched();
  run.execute(repl, "output");
  run.execute(repl, "output");
  std::this_thread::sleep_for(settle);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::outputOrder});
}

void values(const Context& context) {
  LiveRun run(context);
  run.sample("ok");
  LiveInterpreter& repl = run.launched();
  run.exercise(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::bundle, Rule::text, Rule::value, Rule::status});
}

void error(const Context& context) {
  LiveRun run(context);
  run.sample("error");
  LiveInterpreter& repl = run.launched();
  const auto done = run.execute(repl, "error");
  for (const char* member : {"\"ename\"", "\"evalue\"", "\"traceback\""})
    if (done.bundle.find(member) == std::string::npos)
      throw Failure("the error's bundle has no member " + std::string(member));
  if (context.subject.quirks.sample("ok") != nullptr) run.execute(repl, "ok");
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
}

void refused(const Context& context) {
  LiveRun run(context);
  LiveInterpreter& repl = run.launched();
  bool taken = true;
  try {
    repl.execute(run.sample("refused").code);
  } catch (const host::PluginError&) {
    taken = false;
  }
  if (taken) throw Failure("execute took the sample \"refused\"");
  if (context.subject.quirks.sample("ok") != nullptr) run.execute(repl, "ok");
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::oneDone, Rule::noReason});
}

void incomplete(const Context& context) {
  LiveRun run(context);
  run.sample("incomplete");
  LiveInterpreter& repl = run.launched();
  run.execute(repl, "incomplete");
  if (context.subject.quirks.sample("ok") != nullptr) run.execute(repl, "ok");
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
}

void interrupt(const Context& context) {
  LiveRun run(context);
  run.sample("slow");
  LiveInterpreter& repl = run.launched();
  if (!repl.canInterrupt()) throw Skipped("it has no interrupt");
  run.interruptSlow(repl);
  if (context.subject.quirks.sample("ok") != nullptr) run.execute(repl, "ok");
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::oneDone});
}

void completion(const Context& context) {
  LiveRun run(context);
  run.sample("completion");
  LiveInterpreter& repl = run.launched();
  if (!repl.canComplete()) throw Skipped("it has no completion");
  run.complete(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
}

void inspection(const Context& context) {
  LiveRun run(context);
  run.sample("inspect");
  LiveInterpreter& repl = run.launched();
  if (!repl.canInspect()) throw Skipped("it has no inspection");
  run.inspect(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
}

void throws(const Context& context) {
  LiveRun run(context);
  LiveInterpreter& repl = run.launched();
  run.exercise(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.end();
  run.border().faults().hold({Rule::throwing});
}

}  // namespace

std::vector<Check> statementChecks() {
  return {
      {"contract", "one-done", "A statement that was taken ends by exactly one stmt_done.",
       "Call stmt_done once, when the statement is over, on every path.", oneDone},
      {"contract", "output-before-done",
       "Output comes before its statement's stmt_done, none after.",
       "Send what is still buffered, then stmt_done.", output},
      {"contract", "valid-values",
       "Bundles are JSON objects, texts UTF-8, numbers those of the ABI.",
       "Escape what you put into JSON (hearth::quoted), and replace what is no UTF-8.", values},
      {"contract", "error-sample", "Code that fails is an error, and the session goes on.",
       "End it by HEARTH_DONE_ERROR with ename, evalue and traceback; take the next statement.",
       error},
      {"contract", "refused-sample", "A refused statement has a reason, and is not ended as well.",
       "Return a status and write why; do not call stmt_done.", refused},
      {"contract", "incomplete-sample", "Code that is not whole is HEARTH_DONE_INCOMPLETE.",
       "Leave the sample out of the quirks file where the language cannot tell.", incomplete},
      {"contract", "interrupt-slow", "interrupt() ends code that runs long.",
       "Ask the REPL to stop; when it has, call stmt_done with HEARTH_DONE_CANCELLED.", interrupt},
      {"contract", "completion-sample", "complete() is answered by reply() with candidates.",
       "Reply {\"candidates\":[..]}; the cursor counts Unicode code points.", completion},
      {"contract", "inspection-sample", "inspect() is answered by reply() with what is known.",
       "Reply {\"found\":bool,\"data\":{MIME type: value}}.", inspection},
      {"contract", "no-exception", "No exception crosses the border.",
       "Catch everything in each entry; plugin.hpp does it for you.", throws},
  };
}

}  // namespace hearth::check
