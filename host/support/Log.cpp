#include "support/Log.h"

#include <spdlog/async.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <stdexcept>

namespace hearth::host {

namespace {

std::shared_ptr<spdlog::logger>& current() {
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto first = std::make_shared<spdlog::logger>(
        "hearth", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    first->set_level(spdlog::level::info);
    return first;
  }();
  return logger;
}

spdlog::level::level_enum levelOf(const std::string& level) {
  const auto parsed = spdlog::level::from_str(level);
  if (parsed == spdlog::level::off && level != "off")
    throw std::invalid_argument("log.level: '" + level +
                                "' is not one of trace, debug, info, warn, error, off");
  return parsed;
}

}  // namespace

void setLogLevel(const std::string& level) { current()->set_level(levelOf(level)); }

void Log::write(LogLevel level, fmt::string_view format, fmt::format_args arguments) noexcept {
  const auto severity = level == LogLevel::error  ? spdlog::level::err
                        : level == LogLevel::warn ? spdlog::level::warn
                        : level == LogLevel::info ? spdlog::level::info
                                                  : spdlog::level::debug;
  try {
    spdlog::logger& to = *current();
    if (!to.should_log(severity)) return;
    fmt::memory_buffer line;
    fmt::vformat_to(fmt::appender(line), format, arguments);
    to.log(severity, spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {  // out of memory, or a bug in a format
  }
}

void startLog(const std::string& level, const std::string& file) {
  spdlog::sink_ptr sink;
  if (file.empty())
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  else
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  spdlog::init_thread_pool(8192, 1);
  // A full queue drops the oldest lines: logging must never hold up a request.
  auto logger = std::make_shared<spdlog::async_logger>(
      "hearth", sink, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(levelOf(level));
  logger->flush_on(spdlog::level::warn);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  current() = logger;
}

void stopLog() {
  current()->flush();
  auto plain = std::make_shared<spdlog::logger>(
      "hearth", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  plain->set_level(current()->level());
  current() = plain;
  spdlog::shutdown();
}

}  // namespace hearth::host
