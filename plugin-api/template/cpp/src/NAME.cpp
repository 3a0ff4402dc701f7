// The kind "@NAME@": statements run in a REPL of its own process, repl/@NAME@_repl.py, which is told
// and tells one JSON object a line. Replace that program by your REPL, and the lines by what it speaks.
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>

namespace {

class @CLASS@Session final : public hearth::Session,
                             public hearth::Interruptible,
                             public hearth::Completing {
 public:
  using hearth::Session::Session;

  // Nothing here waits: what a call cannot finish, an event finishes. Calls of one session come one at
  // a time, so its members need no lock.

  void launch() override {
    const std::string folder = hearth::jsonText(hearth::jsonMember(config(), "plugin_dir"));
    const std::string python = hearth::jsonText(hearth::jsonMember(config(), "python"));
    repl_ = spawn({python, "-u", folder + "/repl/@NAME@_repl.py"}, {},
                  HEARTH_SPAWN_LINES | HEARTH_SPAWN_PROTOCOL);
  }

  void execute(std::uint64_t statement, std::string_view code, std::string_view) override {
    write(repl_, R"({"execute":)" + std::to_string(statement) + R"(,"code":)" + hearth::quoted(code) +
                     "}\n");
    running_ = statement;
  }

  void interrupt(std::uint64_t statement) override {
    if (statement == running_) signal(repl_, SIGINT);
  }

  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) override {
    if (running_ != 0) throw hearth::Error(HEARTH_E_STATE, "a statement is running");
    write(repl_, R"({"complete":)" + std::to_string(request) + R"(,"cursor":)" +
                     std::to_string(cursor) + R"(,"code":)" + hearth::quoted(code) + "}\n");
  }

  void close(std::int32_t mode) override {
    closing_ = true;
    if (repl_ == 0) return state(HEARTH_CLOSED);
    signal(repl_, mode == HEARTH_CLOSE_KILL ? SIGKILL : SIGTERM);  // HEARTH_CLOSED follows in onExit
  }

  void onLine(hearth_proc_h, std::int32_t stream, std::string_view line) override {
    if (stream == HEARTH_STDERR) return log(HEARTH_LOG_INFO, line);
    const auto members = hearth::jsonMembers(line);
    if (members.empty()) return log(HEARTH_LOG_WARN, "not understood: " + std::string(line));
    const auto& [word, number] = members.front();
    const std::string_view value = members.back().second;
    if (word == "ready")
      state(HEARTH_IDLE);
    else if (word == "stdout" || word == "stderr")
      output(running_, word == "stdout" ? HEARTH_STDOUT : HEARTH_STDERR, hearth::jsonText(value));
    else if (word == "request")
      reply(std::stoull(std::string(number)), HEARTH_OK, line);
    else if (word == "ok")
      done(std::exchange(running_, 0), HEARTH_DONE_OK, value);
    else if (word == "error")
      done(std::exchange(running_, 0), HEARTH_DONE_ERROR, value);
    else if (word == "cancelled")
      done(std::exchange(running_, 0), HEARTH_DONE_CANCELLED, value);
    else if (word == "incomplete")
      done(std::exchange(running_, 0), HEARTH_DONE_INCOMPLETE, value);
  }

  void onExit(hearth_proc_h, std::int32_t status, std::int32_t signo) override {
    repl_ = 0;
    if (closing_) return state(HEARTH_CLOSED);
    const std::string how = signo != 0 ? "signal " + std::to_string(signo)
                                       : "status " + std::to_string(status);
    // The host ends the statement that ran as lost.
    state(HEARTH_DEAD, R"({"reason":"the REPL has ended: )" + how + "\"}");
  }

 private:
  hearth_proc_h repl_ = 0;
  std::uint64_t running_ = 0;  // statement; 0: none
  bool closing_ = false;
};

}  // namespace

HEARTH_PLUGIN(@CLASS@Session, R"json({
  "id": "@NAME@", "version": "0.1.0", "kinds": ["@NAME@"], "mime": ["text/plain"],
  "config": {
    "python": {"type": "string", "default": "python3", "doc": "the Python that runs the REPL"}
  }})json")
