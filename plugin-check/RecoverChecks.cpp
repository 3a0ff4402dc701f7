// A host that is killed, and the one after it: what the plugin has saved must do.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>

#include "Check.h"
#include "LiveRun.h"
#include "Residue.h"

namespace hearth::check {

namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr auto saveTime = 2s;

void write(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t size = ::write(fd, text.data() + at, text.size() - at);
    if (size <= 0) return;
    at += static_cast<std::size_t>(size);
  }
}

/// Tells what it kept, or why there is nothing, and waits to be killed.
[[noreturn]] void beFirstHost(const Context& context, int tell) {
  const auto end = [&](const json::object& told) {
    write(tell, json::serialize(told));
    ::close(tell);
  };
  try {
    LiveRun run(context);
    LiveInterpreter& repl = run.launched();
    if (context.subject.quirks.sample("kept") != nullptr) run.execute(repl, "kept");
    const std::string blob = repl.saved(saveTime);
    if (blob.empty()) throw Skipped("it never saves: its sessions end with the host");
    json::object told{{"blob", blob}, {"channel", repl.channel()}};
    if (const auto process = repl.process())
      told["process"] = json::object{
          {"pid", process->pid}, {"start", process->startTime}, {"boot", process->bootId}};
    end(told);
    for (;;) ::pause();  // to be killed, with all that it holds
  } catch (const Skipped& why) {
    end({{"skipped", why.what()}});
  } catch (const std::exception& why) {
    end({{"failed", why.what()}});
  }
  ::_exit(0);
}

std::string readAll(int fd) {
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t size = ::read(fd, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(piece, static_cast<std::size_t>(size));
  }
}

/// Lets a first host come so far, and kills it.
LiveRun::Kept keptByKilledHost(const Context& context) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Skipped("no pipe can be made");
  // No thread has been started here and no plugin loaded: a fork is a process of its own.
  const pid_t host = ::fork();
  if (host < 0) throw Skipped("no process can be started");
  if (host == 0) {
    ::close(ends[0]);
    beFirstHost(context, ends[1]);
  }
  ::close(ends[1]);
  const std::string told = readAll(ends[0]);
  ::close(ends[0]);
  ::kill(host, SIGKILL);
  int status = 0;
  while (::waitpid(host, &status, 0) < 0 && errno == EINTR) {
  }
  if (told.empty()) throw Failure("the first host crashed");
  const json::object read = json::parse(told).as_object();
  const auto text = [](const json::value& value) { return std::string(value.as_string()); };
  if (const auto* why = read.if_contains("skipped")) throw Skipped(text(*why));
  if (const auto* why = read.if_contains("failed")) throw Failure(text(*why));
  LiveRun::Kept kept;
  kept.blob = text(read.at("blob"));
  kept.channel = static_cast<std::uint16_t>(read.at("channel").as_int64());
  if (const auto* process = read.if_contains("process"))
    kept.process = host::ProcessIdentity{static_cast<pid_t>(process->at("pid").as_int64()),
                                         text(process->at("start")), text(process->at("boot"))};
  return kept;
}

void recover(const Context& context) {
  if (!context.launches) throw Skipped("--no-launch");
  if (!context.alone)
    throw Skipped("it needs a process of its own, which --in-process does not give");
  childrenComeHere();
  const LiveRun::Kept kept = keptByKilledHost(context);
  LiveRun run(context);
  LiveInterpreter& repl = run.takenUp(kept);
  repl.numberFrom(100);
  if (context.subject.quirks.sample("recall") != nullptr) run.execute(repl, "recall");
  run.exercise(repl);
  run.close(repl, HEARTH_CLOSE_GRACEFUL);
  run.border().faults().hold({Rule::oneDone, Rule::lateCall, Rule::throwing});
}

}  // namespace

std::vector<Check> recoverChecks() {
  return {{"recover", "recover",
           "A session whose plugin saves lives on when its host is killed, and the next host opens "
           "it with the blob.",
           "Save what launch() needs to find the REPL again (proc_adopt, chan_offer), and report "
           "HEARTH_IDLE when it answers.",
           recover}};
}

}  // namespace hearth::check
