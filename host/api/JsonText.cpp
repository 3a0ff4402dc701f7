#include "api/JsonText.h"

namespace hearth::host::json_text {

constexpr auto npos = std::string_view::npos;

std::size_t skipSpace(std::string_view text, std::size_t at) {
  const std::size_t found = text.find_first_not_of(" \t\r\n", at);
  return found == npos ? text.size() : found;
}

namespace {

// Behind the string that begins at `at`; npos where it has no end.
std::size_t skipString(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    at = text.find_first_of("\"\\", at);
    if (at == npos) return npos;
    if (text[at] == '"') return at + 1;
    ++at;
  }
  return npos;
}

}  // namespace

std::size_t skipValue(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skipString(text, at);
      if (at == npos) return npos;
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // the end of what a bare word is in
      if (--depth == 0) return at + 1;
    } else if (c == ',' && depth == 0) {
      return at;
    }
    ++at;
  }
  return npos;
}

std::optional<Member> find(std::string_view object, std::string_view quotedKey) {
  std::size_t at = skipSpace(object, 0);
  if (at >= object.size() || object[at] != '{') return std::nullopt;
  for (;;) {
    at = skipSpace(object, at + 1);
    if (at >= object.size() || object[at] != '"') return std::nullopt;
    const std::size_t begin = at;
    const std::size_t keyEnd = skipString(object, at);
    if (keyEnd == npos) return std::nullopt;
    const std::size_t colon = skipSpace(object, keyEnd);
    if (colon >= object.size() || object[colon] != ':') return std::nullopt;
    const std::size_t value = skipSpace(object, colon + 1);
    const std::size_t end = skipValue(object, value);
    if (end == npos) return std::nullopt;
    if (object.substr(begin, keyEnd - begin) == quotedKey)
      return Member{begin, end, object.substr(value, end - value)};
    at = skipSpace(object, end);
    if (at >= object.size() || object[at] != ',') return std::nullopt;
  }
}

}  // namespace hearth::host::json_text
