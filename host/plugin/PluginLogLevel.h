// The host's log level for one of a plugin's.
#pragma once

#include <hearth/plugin.h>

#include <cstdint>

#include "support/Log.h"

namespace hearth::host {

/// Of HEARTH_LOG_*; numbers in between count as the one below.
inline LogLevel pluginLogLevel(std::int32_t level) {
  return level >= HEARTH_LOG_ERROR  ? LogLevel::error
         : level >= HEARTH_LOG_WARN ? LogLevel::warn
         : level >= HEARTH_LOG_INFO ? LogLevel::info
                                    : LogLevel::debug;
}

}  // namespace hearth::host
