// What a plugin leaves in the process that it was in: nothing.
#include "Check.h"
#include "FakeRun.h"
#include "LiveRun.h"
#include "Residue.h"

namespace hearth::check {

namespace {

using namespace std::chrono_literals;

/// Threads and processes that were told to end may need a while; files and the like do not.
constexpr auto patience = 3s;

std::vector<std::filesystem::path> folders() {
  std::error_code none;
  return {std::filesystem::temp_directory_path(none), std::filesystem::current_path(none)};
}

void hold(const Residue& before, const std::vector<std::filesystem::path>& looked) {
  std::string text;
  for (const auto& what : before.wait(looked, patience)) text += (text.empty() ? "" : "; ") + what;
  if (!text.empty()) throw Failure(text);
}

void opened(const Context& context) {
  const auto looked = folders();
  const Plugin& plugin = Plugin::of(context.subject);
  plugin.table();
  childrenComeHere();
  std::filesystem::create_directories(context.scratch / "session");
  const Residue before = Residue::now(looked);
  {
    FakeRun run(context);
    run.create();
    run.open();
    run.release();
    run.destroy();
    hold(before, looked);
  }
}

void lived(const Context& context) {
  const auto looked = folders();
  Plugin::of(context.subject).table();
  if (context.leader) Plugin::of(*context.leader).table();
  childrenComeHere();
  LiveHost host(context.scratch);
  const Residue before = Residue::now(looked);
  LiveRun run(context, &host);
  LiveInterpreter& repl = run.launched();
  run.exercise(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.end();
  hold(before, looked);
}

}  // namespace

std::vector<Check> residueChecks() {
  constexpr const char* remedy =
      "Join threads, close descriptors, remove files by destroy() at the latest, and change "
      "nothing "
      "that belongs to the whole process.";
  return {
      {"residue", "residue-opened",
       "A session that was opened and released leaves no thread, descriptor, process or file, and "
       "working directory, umask, locale and signals as they were.",
       remedy, opened},
      {"residue", "residue-lived", "The same for a session that has run statements and was closed.",
       remedy, lived},
  };
}

}  // namespace hearth::check
