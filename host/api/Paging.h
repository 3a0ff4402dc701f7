// Parameters of requests that both faces understand.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "http/Message.h"
#include "process/LogFile.h"

namespace hearth::host {

/// A whole number, negative allowed. Throws Refusal (parameter) with Livy's text for anything else.
std::int64_t integerParameter(const Request& request, const char* name, std::int64_t fallback);
/// `?wait=30s` (a bare number is seconds), at most `longest`; absent where not asked for. Throws
/// Refusal (parameter).
std::optional<std::chrono::milliseconds> waitParameter(const Request& request,
                                                       std::chrono::milliseconds longest);
/// A path segment that must be a statement's number. Throws Refusal: parameter where it is no
/// number, noStatement where it cannot be one.
std::int64_t statementNumber(const std::string& segment);

/// The request's Idempotency-Key; empty where there is none. Throws Refusal (parameter) for one
/// that is longer than 255 characters or not printable.
std::string idempotencyKey(const Request& request);

/// Lines of a log, as `?from=` and `?size=` ask for.
struct LogWindow {
  std::int64_t from, size;
};
LogWindow logWindow(const Request& request);
/// The page of a log as both faces show it.
std::string logPage(std::int64_t id, const LogWindow& window, const LogFile::Page& page);

}  // namespace hearth::host
