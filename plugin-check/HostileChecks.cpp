// A host, a process and a driver that do their worst: the plugin stays in order.
#include <signal.h>

#include <random>

#include "Check.h"
#include "FakeRun.h"
#include "Plugin.h"
#include "Strict.h"

namespace hearth::check {

namespace {

/// Opens and launches; throws Skipped where the plugin asks for neither process nor channel.
void launch(FakeRun& run) {
  run.create();
  run.open();
  const kit::Answer answer = run.session().launch();
  if (!answer) throw Skipped("launch refuses under the fake host: " + answer.message);
}

void end(FakeRun& run) {
  if (!run.close(HEARTH_CLOSE_KILL)) throw Failure("close(KILL) was not answered by CLOSED");
  run.release();
  run.destroy();
  run.border().faults().hold({Rule::throwing, Rule::oneDone, Rule::lateCall, Rule::status});
}

/// After what ends an interpreter: it says so.
void ends(FakeRun& run, const std::string& what) {
  if (!run.play([&] {
        return run.said(HEARTH_DEAD) || run.said(HEARTH_ERROR) || run.said(HEARTH_CLOSED);
      }))
    throw Failure("neither DEAD nor ERROR was reported after " + what);
}

void give(const Context& context, FakeRun& run, std::uint64_t statement) {
  const Sample* sample = context.subject.quirks.sample("slow");
  if (sample == nullptr) sample = context.subject.quirks.sample("ok");
  run.session().execute(statement, sample != nullptr ? sample->code : "1");
}

void spawnRefused(const Context& context) {
  FakeRun run(context);
  run.create();
  run.open();
  run.host().refuse = HEARTH_E_LIMIT;
  const kit::Answer answer = run.session().launch();
  const bool asked = run.border().processes() + run.border().channels() > 0;
  run.host().refuse = HEARTH_OK;
  if (asked && answer) ends(run, "the host had refused what launch asked for");
  end(run);
  if (!asked) throw Skipped("launch asks for no process and no channel");
  run.border().faults().hold({Rule::noReason});
}

void processExits(const Context& context) {
  FakeRun run(context);
  launch(run);
  if (run.running().empty()) throw Skipped("launch starts no process");
  give(context, run, 1);
  run.killProcesses();
  ends(run, "its process had ended");
  end(run);
}

void linesOfGarbage(const Context& context) {
  const Strict strict;
  FakeRun run(context);
  launch(run);
  if (run.running().empty() || Plugin::of(context.subject).table().on_proc_line == nullptr)
    throw Skipped("it reads no lines");
  const hearth_proc_h process = *run.running().begin();
  for (const std::string& line :
       {std::string(), std::string(65536, 'x'), std::string("\xff\xfe\0{", 4), std::string("{")})
    for (const std::int32_t stream : {1, 2, 7}) run.session().line(process, stream, line);
  end(run);
}

hearth_chan_h channel(FakeRun& run) {
  const auto held = run.host().hold();
  if (run.host().channels.empty()) throw Skipped("launch opens no channel");
  return run.host().channels.front().channel;
}

void channelDies(const Context& context) {
  FakeRun run(context);
  launch(run);
  const hearth_chan_h link = channel(run);
  run.session().channel(link, HEARTH_CHAN_UP);
  give(context, run, 1);
  run.session().channel(link, HEARTH_CHAN_DOWN);
  run.session().interrupt(1);
  run.session().channel(link, HEARTH_CHAN_BACK);
  run.session().channel(link, HEARTH_CHAN_DOWN);
  run.killProcesses();
  run.session().channel(link, HEARTH_CHAN_CLOSED);
  ends(run, "its driver was gone");
  end(run);
}

void framesOfGarbage(const Context& context) {
  const Strict strict;
  FakeRun run(context);
  launch(run);
  const hearth_chan_h link = channel(run);
  run.session().channel(link, HEARTH_CHAN_UP);
  std::mt19937 random(7);  // NOLINT: the same each time, so that a crash can be seen again
  for (int type = 0; type < 256; ++type)
    for (const char* begin : {"", "{", "{}", "[1]", "{\"a\":\"", "\xff\xff", "{\"state\":3}"}) {
      std::string payload = begin;
      for (unsigned i = random() % 40; i > 0; --i) payload += static_cast<char>(random());
      run.session().frame(link, static_cast<std::uint8_t>(type), random() % 3,
                          type % 2 == 0 ? payload : begin, static_cast<std::uint8_t>(random()));
    }
  run.border().faults().forget(Rule::oneDone);  // it was told of ends that it had not begun
  end(run);
}

void saveFails(const Context& context) {
  FakeRun run(context);
  hearth_host table = run.host().table();
  table.save = [](void*, hearth_session_h, hearth_str, hearth_error* err) -> hearth_status {
    if (err != nullptr) err->code = HEARTH_E_IO;
    if (err != nullptr && err->capacity > 0) err->message[0] = '\0';
    return HEARTH_E_IO;
  };
  run.create(&table);
  run.open();
  if (run.session().launch()) {
    run.play([&] { return run.said(HEARTH_IDLE); });
    give(context, run, 1);
  }
  end(run);
}

void timerLate(const Context& context) {
  FakeRun run(context);
  launch(run);
  if (Plugin::of(context.subject).table().on_timer == nullptr) throw Skipped("it has no timers");
  give(context, run, 1);
  const hearth_plugin& table = run.border().table();
  std::vector<std::uint64_t> ids;
  {
    const auto held = run.host().hold();
    for (const auto& timer : run.host().timers) ids.push_back(timer.id);
  }
  if (ids.empty()) throw Skipped("it asks for no timer");
  if (table.interrupt != nullptr) run.session().interrupt(1);
  for (const std::uint64_t id : ids) table.on_timer(run.session().self(), id);
  end(run);
}

}  // namespace

std::vector<Check> hostileChecks() {
  return {
      {"hostile", "spawn-refused",
       "A host that refuses process or channel is answered by an error.",
       "Pass the host's reason on from launch(), or report HEARTH_ERROR.", spawnRefused},
      {"hostile", "process-exits", "The end of the process is reported, and its statement ended.",
       "In on_proc_exit: stmt_done LOST for what runs, then HEARTH_DEAD.", processExits},
      {"hostile", "garbage-lines", "Lines of any bytes do no harm.",
       "Take nothing for granted of what a process prints.", linesOfGarbage},
      {"hostile", "channel-dies", "A driver that comes, goes and ends is coped with.",
       "CHAN_DOWN is no end, CHAN_CLOSED and the process's exit are.", channelDies},
      {"hostile", "garbage-frames", "Frames of any type and payload do no harm.",
       "Check a frame's type and payload before you use them.", framesOfGarbage},
      {"hostile", "save-fails",
       "Where save() fails the session lives on, or launch() says why not.",
       "Note it in the log; the session cannot be recovered, that is all.", saveFails},
      {"hostile", "timer-late",
       "Timers that run out when nobody waits for them any more do no harm.",
       "Compare the id with that of the timer you wait for.", timerLate},
  };
}

}  // namespace hearth::check
