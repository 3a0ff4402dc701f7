// The kind "sqlite": SQL on one SQLite database a session. It is worked on by a process of its own,
// repl/sqlite_repl.py, which is told and tells one JSON object a line.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace {

class SqliteSession final : public hearth::Session,
                            public hearth::Interruptible,
                            public hearth::Completing,
                            public hearth::Inspecting {
 public:
  SqliteSession(hearth::Host host, hearth_session_h handle, const hearth_open& open,
                const std::string& config)
      : Session(host, handle, open, config), database_(choose()) {}

  // Nothing here waits: what a call cannot finish, an event finishes. Calls of one session come one
  // at a time, so its members need no lock.

  void launch() override {
    repl_ = spawn({text("python"), "-u", text("plugin_dir") + "/repl/sqlite_repl.py", database_,
                   std::string(setting("read_only")), std::string(setting("attach")),
                   std::string(setting("busy_seconds"))},
                  {}, HEARTH_SPAWN_LINES | HEARTH_SPAWN_PROTOCOL);
  }

  void execute(std::uint64_t statement, std::string_view code, std::string_view options) override {
    std::string rows(setting("max_rows"));
    if (const auto asked = hearth::jsonMember(options, "maxRows"); !asked.empty()) rows = asked;
    // What goes to the REPL has to be one line of JSON; options are as the client has written them.
    if (rows.empty() || rows.size() > 9 || rows.find_first_not_of("0123456789") != rows.npos)
      throw hearth::Error(HEARTH_E_INVALID, "maxRows must be a whole number, at most 999999999");
    write(repl_, R"({"execute":)" + std::to_string(statement) + R"(,"maxRows":)" +
                     std::to_string(std::stoul(rows)) + R"(,"code":)" + hearth::quoted(code) +
                     "}\n");
    running_ = statement;
  }

  void interrupt(std::uint64_t statement) override {
    if (statement == running_) write(repl_, R"({"interrupt":)" + std::to_string(statement) + "}\n");
  }

  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) override {
    ask("complete", request, code, cursor);
  }

  void inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
               std::int32_t) override {
    ask("inspect", request, code, cursor);
  }

  void close(std::int32_t mode) override {
    closing_ = true;
    if (repl_ == 0) return state(HEARTH_CLOSED);
    // SQLite survives both. HEARTH_CLOSED follows in onExit.
    signal(repl_, mode == HEARTH_CLOSE_KILL ? SIGKILL : SIGTERM);
  }

  void onLine(hearth_proc_h, std::int32_t stream, std::string_view line) override {
    if (stream == HEARTH_STDERR) return log(HEARTH_LOG_INFO, line);
    const auto members = hearth::jsonMembers(line);
    if (members.empty())
      return log(HEARTH_LOG_WARN, "not understood: " + std::string(line.substr(0, 200)));
    const auto& [word, number] = members.front();
    const std::string_view value = members.back().second;
    if (word == "ready")
      state(HEARTH_IDLE);
    else if (word == "failed")
      failed_ = hearth::jsonText(value);
    else if (word == "display")
      display(running_, value);
    else if (word == "request")
      reply(std::stoull(std::string(number)), HEARTH_OK, value);
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
    if (failed_.empty())
      failed_ = "the REPL has ended: " + (signo != 0 ? "signal " + std::to_string(signo)
                                                     : "status " + std::to_string(status));
    // The host ends the statement that ran as lost.
    state(HEARTH_DEAD, R"({"reason":)" + hearth::quoted(failed_) + "}");
  }

 private:
  std::string_view setting(std::string_view key) const { return hearth::jsonMember(config(), key); }
  std::string text(std::string_view key) const { return hearth::jsonText(setting(key)); }

  /// The database: the client's choice out of the deployment's folder, or else the deployment's.
  std::string choose() const {
    const std::string_view request = hearth::jsonMember(args().optionsJson, "request");
    const std::string name = hearth::jsonText(
        hearth::jsonMember(hearth::jsonMember(request, "conf"), "sqlite.database"));
    const std::string folder = text("folder");
    if (name.empty()) return filled(text("database"));
    if (folder.empty())
      throw hearth::Error(HEARTH_E_INVALID,
                          "sqlite.database cannot be chosen here: the plugin has no \"folder\"");
    const auto plain = [](unsigned char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             c == '.' || c == '_' || c == '-';
    };
    if (name.front() == '.' || !std::all_of(name.begin(), name.end(), plain))
      throw hearth::Error(HEARTH_E_INVALID,
                          "sqlite.database is a file's name, of letters, digits "
                          "and . _ - inside: " +
                              name);
    return filled(folder) + "/" + name;
  }

  /// A pattern of the configuration, with what it says about the session put in.
  std::string filled(std::string pattern) const {
    const std::string dir = hearth::jsonText(hearth::jsonMember(args().optionsJson, "dir"));
    const std::pair<std::string_view, const std::string&> names[] = {
        {"{dir}", dir}, {"{session}", args().sessionId}, {"{user}", args().user}};
    for (const auto& [name, value] : names)
      for (std::size_t at = 0; (at = pattern.find(name, at)) != pattern.npos; at += value.size())
        pattern.replace(at, name.size(), value);
    return pattern;
  }

  void ask(std::string_view what, std::uint64_t request, std::string_view code,
           std::uint64_t cursor) const {
    write(repl_, R"({")" + std::string(what) + R"(":)" + std::to_string(request) + R"(,"cursor":)" +
                     std::to_string(cursor) + R"(,"code":)" + hearth::quoted(code) + "}\n");
  }

  std::string database_;
  hearth_proc_h repl_ = 0;
  std::uint64_t running_ = 0;  // statement; 0: none
  bool closing_ = false;
  std::string failed_;  // why the REPL has ended, where it said so
};

}  // namespace

HEARTH_PLUGIN(SqliteSession, R"json({
  "id": "sqlite", "version": "0.1.0", "kinds": ["sqlite"],
  "mime": ["text/plain", "application/vnd.livy.table.v1+json"],
  "config": {
    "python": {"type": "string", "default": "python3", "doc": "the Python that runs the REPL"},
    "database": {"type": "string", "default": "{dir}/session.db",
      "doc": "a file, with {dir} (the session's private folder), {session}, {user}; or :memory:"},
    "folder": {"type": "string", "default": "",
      "doc": "clients may choose a file in it by conf sqlite.database; empty: they may not"},
    "read_only": {"type": "boolean", "default": false, "doc": "nothing can be changed"},
    "attach": {"type": "boolean", "default": false, "doc": "SQL may ATTACH other files"},
    "busy_seconds": {"type": "integer", "default": 5,
      "doc": "how long a locked database is waited for"},
    "max_rows": {"type": "integer", "default": 1000,
      "doc": "rows of a result, where the statement's option maxRows does not say"}
  }})json")
