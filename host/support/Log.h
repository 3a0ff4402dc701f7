// The host's log.
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>

namespace hearth::host {

enum class LogLevel { debug, info, warn, error };

/// Formats as fmt does. Never throws: a line that cannot be made is lost. Thread-safe. What writes
/// the lines is in Log.cpp alone, as its headers cost each file more than the file itself.
class Log {
 public:
  template <typename... Arguments>
  using Format = fmt::format_string<Arguments...>;

  template <typename... Arguments>
  void line(LogLevel level, Format<Arguments...> format, Arguments&&... arguments) const noexcept {
    write(level, format, fmt::make_format_args(arguments...));
  }
  template <typename... Arguments>
  void debug(Format<Arguments...> format, Arguments&&... arguments) const noexcept {
    write(LogLevel::debug, format, fmt::make_format_args(arguments...));
  }
  template <typename... Arguments>
  void info(Format<Arguments...> format, Arguments&&... arguments) const noexcept {
    write(LogLevel::info, format, fmt::make_format_args(arguments...));
  }
  template <typename... Arguments>
  void warn(Format<Arguments...> format, Arguments&&... arguments) const noexcept {
    write(LogLevel::warn, format, fmt::make_format_args(arguments...));
  }
  template <typename... Arguments>
  void error(Format<Arguments...> format, Arguments&&... arguments) const noexcept {
    write(LogLevel::error, format, fmt::make_format_args(arguments...));
  }

 private:
  static void write(LogLevel level, fmt::string_view format, fmt::format_args arguments) noexcept;
};

/// The process-wide log; before startLog() it writes to stderr.
inline Log log() {
  return {};
}

/// Writes on a thread of its own from now on: `level` is trace, debug, info, warn, error or off;
/// `file` empty writes to stderr. Throws std::exception where the file cannot be opened,
/// std::invalid_argument for what is no level. Call once, from main.
void startLog(const std::string& level, const std::string& file);
/// Throws std::invalid_argument for what is no level.
void setLogLevel(const std::string& level);
/// Flushes and stops the logging thread.
void stopLog();

}  // namespace hearth::host
