#include "support/Time.h"

#include <charconv>
#include <cstdio>
#include <ctime>

namespace hearth::host {

std::int64_t nowMillis() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string isoTime(std::int64_t millis) {
  if (millis <= 0) return {};
  const std::time_t seconds = static_cast<std::time_t>(millis / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(millis % 1000));
  return text;
}

std::optional<std::chrono::milliseconds> parseDuration(const std::string& text,
                                                       std::chrono::milliseconds unitless) {
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count < 0) return std::nullopt;
  const std::string unit(rest, end);
  double millis = 0;
  if (unit.empty()) millis = static_cast<double>(unitless.count());
  else if (unit == "us") millis = 0.001;
  else if (unit == "ms") millis = 1;
  else if (unit == "s") millis = 1000;
  else if (unit == "m" || unit == "min") millis = 60 * 1000;
  else if (unit == "h") millis = 3600 * 1000;
  else if (unit == "d") millis = 24 * 3600 * 1000;
  else return std::nullopt;
  const double total = static_cast<double>(count) * millis;
  if (total > 100.0 * 366 * 24 * 3600 * 1000) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(total));
}

}  // namespace hearth::host
