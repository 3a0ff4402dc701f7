#include "api/Paging.h"

#include <algorithm>
#include <charconv>

#include "session/Refusal.h"
#include "support/JsonWriter.h"
#include "support/Time.h"

namespace hearth::host {

namespace {

std::int64_t integer(const std::string& text) {
  std::int32_t value = 0;  // Livy's range
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end)
    throw Refusal(Refusal::Cause::parameter, "For input string: \"" + text.substr(0, 100) + "\"");
  return value;
}

}  // namespace

std::int64_t integerParameter(const Request& request, const char* name, std::int64_t fallback) {
  const auto given = request.parameter(name);
  return given ? integer(*given) : fallback;
}

std::optional<std::chrono::milliseconds> waitParameter(const Request& request,
                                                       std::chrono::milliseconds longest) {
  const auto given = request.parameter("wait");
  if (!given) return std::nullopt;
  const auto time = parseDuration(*given, std::chrono::seconds(1));
  if (!time)
    throw Refusal(Refusal::Cause::parameter,
                  "wait=" + given->substr(0, 100) + " is no duration such as 30s or 500ms");
  return std::min(*time, longest);
}

std::int64_t statementNumber(const std::string& segment) {
  const std::int64_t number = integer(segment);
  if (number < 0) throw Refusal(Refusal::Cause::noStatement, "Statement not found");
  return number;
}

std::string idempotencyKey(const Request& request) {
  const std::string key = request.header("Idempotency-Key");
  const auto printable = [](unsigned char c) { return c >= 0x20 && c < 0x7f; };
  if (key.size() > 255 || !std::all_of(key.begin(), key.end(), printable))
    throw Refusal(Refusal::Cause::parameter, "Idempotency-Key: at most 255 printable characters");
  return key;
}

LogWindow logWindow(const Request& request) {
  return {integerParameter(request, "from", -1), integerParameter(request, "size", 100)};
}

std::string logPage(std::int64_t id, const LogWindow& window, const LogFile::Page& page) {
  JsonWriter out;
  out.beginObject();
  out.key("id").integer(id);
  // Livy shows the number that was asked for also where no line has it.
  out.key("from").integer(window.from > page.total ? window.from : page.from);
  out.key("total").integer(page.total);
  out.key("log").strings(page.lines);
  out.endObject();
  return out.take();
}

}  // namespace hearth::host
