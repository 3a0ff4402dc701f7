// Clock readings and the spelling of durations.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace hearth::host {

/// Milliseconds since the Unix epoch: for what people and clients read, never for time-outs.
std::int64_t nowMillis();
/// ISO 8601 in UTC with milliseconds; empty for 0.
std::string isoTime(std::int64_t millis);

/// A duration as Livy spells it: digits and us, ms, s, m, min, h or d; without unit `unitless`.
/// Absent where the text is anything else, negative, or beyond 100 years.
std::optional<std::chrono::milliseconds> parseDuration(
    const std::string& text, std::chrono::milliseconds unitless = std::chrono::milliseconds(1));

}  // namespace hearth::host
