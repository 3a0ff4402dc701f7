// What is lent to a plugin for a call is used in that call only, and no further than it goes.
#include "Check.h"
#include "FakeRun.h"
#include "LiveRun.h"
#include "Strict.h"

namespace hearth::check {

namespace {

const char* codeFor(const Context& context, const char* sample, const char* otherwise) {
  const Sample* found = context.subject.quirks.sample(sample);
  return found != nullptr ? found->code.c_str() : otherwise;
}

void borrowsWithoutRepl(const Context& context) {
  const Strict strict;
  FakeRun run(context);
  run.create();
  run.open();
  if (run.session().launch()) {
    run.play([&] { return run.said(HEARTH_IDLE); });
    std::uint64_t statement = 0;
    for (const char* sample : {"ok", "output", "error", "refused", "slow"}) {
      run.session().execute(++statement, codeFor(context, sample, "1"));
      run.play([&] { return run.dones() == statement; });
      if (Plugin::of(context.subject).table().interrupt != nullptr)
        run.session().interrupt(statement);
    }
    if (Plugin::of(context.subject).table().complete != nullptr)
      run.session().complete(100, codeFor(context, "completion", "a"), 1);
    if (Plugin::of(context.subject).table().inspect != nullptr)
      run.session().inspect(101, codeFor(context, "inspect", "a"), 1, 0);
    run.session().execute(++statement, "");
  }
  run.close(HEARTH_CLOSE_GRACEFUL);
  run.release();
  run.destroy();
}

void borrows(const Context& context) {
  const Strict strict;
  LiveRun run(context);
  LiveInterpreter& repl = run.launched();
  run.exercise(repl);
  if (repl.canInterrupt() && context.subject.quirks.sample("slow") != nullptr)
    run.interruptSlow(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
}

/// Makes as many calls fail as can be made to without a REPL.
void refusals(const Context& context, Border::ErrorRoom room) {
  FakeRun run(context);
  run.border().errorRoom(room);
  run.create();
  auto wrong = run.options();
  wrong.kind = "no-such-kind";
  wrong.optionsJson = "{\"request\":17}";
  wrong.driverJson = "{";
  try {
    run.open(1, wrong);
    run.release();
  } catch (const Skipped&) {  // that is what it was for
  }
  run.open(2);
  run.session().execute(1, codeFor(context, "ok", "1"));  // before launch
  run.host().refuse = HEARTH_E_LIMIT;
  run.session().launch();
  run.host().refuse = HEARTH_OK;
  run.release();
  run.open(3);
  if (run.session().launch()) {
    run.session().execute(1, codeFor(context, "slow", "1"));
    run.session().execute(2, codeFor(context, "refused", "1"));
    run.host().refuse = HEARTH_E_IO;
    run.session().execute(3, codeFor(context, "slow", "1"));
    const hearth_plugin& table = Plugin::of(context.subject).table();
    if (table.interrupt != nullptr) run.session().interrupt(77);
    if (table.complete != nullptr) run.session().complete(1, "a", 1);
    if (table.export_driver != nullptr) run.session().exportDriver(2);
    run.host().refuse = HEARTH_OK;
  }
  run.release();
  run.destroy();
  run.border().faults().hold({Rule::errorBuffer, Rule::noReason});
}

template <Border::ErrorRoom Room>
void errorRoom(const Context& context) {
  const Strict strict;
  refusals(context, Room);
}

}  // namespace

std::vector<Check> memoryChecks() {
  return {
      {"memory", "memory-borrows-fake",
       "Nothing that a call was lent is used after it, under a fake host.",
       "Copy what you keep: every pointer argument is borrowed until the call returns.",
       borrowsWithoutRepl},
      {"memory", "memory-borrows", "Nothing that a call was lent is used after it.",
       "Copy what you keep: every pointer argument is borrowed until the call returns.", borrows},
      {"memory", "error-capacity-normal", "A reason fits its buffer and ends with a NUL.",
       "Write at most capacity bytes, the NUL among them.", errorRoom<Border::ErrorRoom::normal>},
      {"memory", "error-capacity-one", "An error of capacity 1 gets a NUL and nothing more.",
       "Write at most capacity bytes, the NUL among them.", errorRoom<Border::ErrorRoom::one>},
      {"memory", "error-capacity-zero", "An error of capacity 0 gets no text.",
       "Test capacity before you write the NUL.", errorRoom<Border::ErrorRoom::none>},
      {"memory", "error-null", "Where the error is null, the status is all there is.",
       "Test err before you write to it.", errorRoom<Border::ErrorRoom::null>},
  };
}

}  // namespace hearth::check
