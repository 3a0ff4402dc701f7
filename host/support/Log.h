// The host's log.
#pragma once

#include <spdlog/logger.h>
#include <spdlog/spdlog.h>

#include <string>

namespace hearth::host {

/// The process-wide logger. Thread-safe; usable before startLog (it writes to stderr then).
spdlog::logger& log();

/// Switches to the asynchronous logger: `level` is trace, debug, info, warn or error; `file` empty
/// writes to stderr. Throws spdlog::spdlog_ex where the file cannot be opened. Call once, from main.
void startLog(const std::string& level, const std::string& file);
/// Throws std::invalid_argument for what is no level.
void setLogLevel(const std::string& level);
/// Flushes and stops the logging thread.
void stopLog();

}  // namespace hearth::host
