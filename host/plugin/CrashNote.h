// What the process writes when a signal ends it: which plugin it was in, and where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hearth::host {

/// The end of a process, as its crash note tells it.
struct CrashReport {
  std::int64_t time = 0;  ///< ms since the epoch
  std::string signal;     ///< "SIGSEGV"
  std::string address;    ///< that could not be used, as "0x10"; empty: none
  std::string said;       ///< of an exception that nobody caught
  std::string plugin;     ///< its instance; empty: no plugin was seen on that thread
  std::string version;
  std::string path;
  std::string file;                ///< fileMark() of the .so when it was loaded
  std::vector<std::string> kinds;  ///< that it offered
  bool ownThread = false;          ///< of a thread that the plugin had started
  std::string slot;
  std::string session;          ///< number; empty: none
  std::uint64_t statement = 0;  ///< the plugin's number; 0: none
  bool takingUp = false;
  std::vector<std::string> frames;  ///< "MODULE+0xOFFSET", the innermost first

  /// Nothing for a text that is no crash note. A note that was cut short says what it has.
  static std::optional<CrashReport> parse(const std::string& text);
  /// "SIGSEGV in plugin echo 1.0 (/path/echo.so), execute, session 7".
  std::string summary() const;
};

/// What tells a file from its replacement: size and time of change; empty where there is no file.
std::string fileMark(const std::string& path);

/// The handlers of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, and of exceptions that nobody
/// catches: they write a note to stderr and to the file, and let the signal end the process as it
/// would have without them, with its core dump. Process-wide. Main thread, unless said otherwise.
namespace crash {

/// Once, before plugins are loaded.
void install();
/// From now on the note goes to `file` too (mode 0600), which is emptied. Throws
/// std::system_error.
void writeTo(const std::string& file);
/// A plugin that is about to be loaded, or was: by it a note names the plugin whose own thread it
/// was that crashed. Saying it again adds to it.
void knowPlugin(const std::string& instance, const std::string& version, const std::string& path,
                const std::vector<std::string>& kinds);

}  // namespace crash

}  // namespace hearth::host
