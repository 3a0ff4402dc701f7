// The kind "shell": one bash a session. Between it and the plugin stands repl/shell_repl.cpp, which
// is told and tells one JSON object a line.
#include <csignal>
#include <cstdint>
#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace {

constexpr std::size_t kPrinted = 1 << 20;  // of what a statement prints, kept for its result
constexpr std::size_t kTail = 4096;        // of its stderr, kept for its error

class ShellSession final : public hearth::Session,
                           public hearth::Interruptible,
                           public hearth::Completing {
 public:
  using hearth::Session::Session;

  // Nothing here waits: what a call cannot finish, an event finishes. Calls of one session come one
  // at a time, so its members need no lock.

  void launch() override {
    const std::string folder = text("plugin_dir");
    repl_ =
        spawn({folder + "/shell_repl", text("shell"), folder + "/shell.bash"},
              {"HEARTH_STARTUP=" + text("startup")}, HEARTH_SPAWN_LINES | HEARTH_SPAWN_PROTOCOL);
  }

  void execute(std::uint64_t statement, std::string_view code, std::string_view) override {
    if (code.find('\0') != code.npos)
      throw hearth::Error(HEARTH_E_INVALID, "the code has a NUL, which bash cannot have");
    write(repl_, R"({"execute":)" + std::to_string(statement) + R"(,"code":)" +
                     hearth::quoted(code) + "}\n");
    running_ = statement;
    interrupted_ = false;
    printed_.clear();
    tail_.clear();
  }

  void interrupt(std::uint64_t statement) override {
    if (statement != running_) return;
    interrupted_ = true;
    write(repl_, R"({"interrupt":)" + std::to_string(statement) + "}\n");
  }

  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) override {
    // bash has one thread, and its variables are nowhere else.
    if (running_ != 0) return reply(request, HEARTH_OK, R"({"candidates":[]})");
    std::size_t end = 0;
    for (; end < code.size(); ++end)  // from code points to bytes: each begins with no 10xxxxxx
      if ((static_cast<unsigned char>(code[end]) & 0xC0) != 0x80 && cursor-- == 0) break;
    code = code.substr(0, end);
    if (const std::size_t line = code.rfind('\n'); line != code.npos) code = code.substr(line + 1);
    if (code.find('\0') != code.npos) code = {};
    write(repl_, R"({"complete":)" + std::to_string(request) + R"(,"line":)" +
                     hearth::quoted(code) + "}\n");
  }

  void close(std::int32_t mode) override {
    closing_ = true;
    if (repl_ == 0) return state(HEARTH_CLOSED);
    // As a terminal that is closed; an interactive bash ignores SIGTERM.
    // HEARTH_CLOSED follows in onExit.
    signal(repl_, mode == HEARTH_CLOSE_KILL ? SIGKILL : SIGHUP);
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
      print(word == "stdout" ? HEARTH_STDOUT : HEARTH_STDERR, hearth::jsonText(value));
    else if (word == "candidates")
      reply(std::stoull(std::string(number)), HEARTH_OK,
            R"({"candidates":)" + std::string(value) + "}");
    else if (word == "end")
      end(hearth::jsonText(value));
    else if (word == "syntax")
      finish(HEARTH_DONE_ERROR, error("SyntaxError", hearth::jsonText(value)));
    else if (word == "incomplete")
      finish(HEARTH_DONE_INCOMPLETE, error("IncompleteCode", hearth::jsonText(value)));
    else if (word == "exit")
      exited(std::string(value));
    else if (word == "signal")
      ended_ = "signal " + std::string(value);
  }

  void onExit(hearth_proc_h process, std::int32_t status, std::int32_t signo) override {
    repl_ = 0;
    signal(process, SIGKILL);  // background jobs; they are in its process group
    if (closing_) return state(HEARTH_CLOSED);
    if (ended_.empty())
      ended_ = signo != 0 ? "signal " + std::to_string(signo) : "status " + std::to_string(status);
    // The host ends a statement that still runs as lost.
    state(HEARTH_DEAD, R"({"reason":)" + hearth::quoted("the shell has ended: " + ended_) + "}");
  }

 private:
  std::string text(std::string_view key) const {
    return hearth::jsonText(hearth::jsonMember(config(), key));
  }

  static std::string error(std::string_view name, std::string_view value,
                           std::string_view trace = {}) {
    return R"({"ename":)" + hearth::quoted(name) + R"(,"evalue":)" + hearth::quoted(value) +
           R"(,"traceback":[)" + (trace.empty() ? "" : hearth::quoted(trace)) + "]}";
  }

  void print(std::int32_t stream, std::string_view text) {
    // Of a background job, or of the start. Much of it is no business of the host's log.
    if (running_ == 0) return log(HEARTH_LOG_DEBUG, text);
    output(running_, stream, text);
    if (printed_.size() + text.size() <= kPrinted) printed_ += text;
    if (stream != HEARTH_STDERR) return;
    tail_ += text;
    if (tail_.size() <= kTail) return;
    std::size_t cut = tail_.size() - kTail;  // to a line's begin, or at least to a character's
    const std::size_t line = tail_.find('\n', cut);
    if (line != tail_.npos && line + 1 < tail_.size()) cut = line + 1;
    while (cut < tail_.size() && (static_cast<unsigned char>(tail_[cut]) & 0xC0) == 0x80) ++cut;
    tail_.erase(0, cut);
  }

  void end(const std::string& status) {
    if (interrupted_ && status != "0") return finish(HEARTH_DONE_CANCELLED, "{}");
    if (status != "0") return finish(HEARTH_DONE_ERROR, error("ExitStatus", status, tail_));
    while (!printed_.empty() && printed_.back() == '\n') printed_.pop_back();
    finish(HEARTH_DONE_OK,
           R"({"hearth":{"metadata":{"status":0}},"text/plain":)" + hearth::quoted(printed_) + "}");
  }

  /// `exit` ends the statement as its status says, and then the session, as it does in a terminal.
  void exited(const std::string& status) {
    ended_ = "exit " + status;
    if (running_ != 0 && !closing_) end(status);
  }

  void finish(std::int32_t outcome, const std::string& bundle) {
    if (running_ != 0) done(std::exchange(running_, 0), outcome, bundle);
  }

  hearth_proc_h repl_ = 0;
  std::uint64_t running_ = 0;  // statement; 0: none
  bool interrupted_ = false;
  bool closing_ = false;
  std::string printed_, tail_;
  std::string ended_;  // how bash has ended
};

}  // namespace

HEARTH_PLUGIN(ShellSession, R"json({
  "id": "shell", "version": "0.1.0", "kinds": ["shell"], "aliases": {"bash": "shell"},
  "mime": ["text/plain"],
  "config": {
    "shell": {"type": "string", "default": "bash", "doc": "the bash that runs the statements"},
    "startup": {"type": "string", "default": "", "doc": "a file that each session sources first"}
  }})json")
