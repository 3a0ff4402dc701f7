// The members of a JSON object, or items of an array, as they are written, so that values can be
// passed on untouched: no parser in between that would round numbers or lose the order of keys.
// Header only, C++17.
#ifndef HEARTH_JSON_MEMBERS_HPP
#define HEARTH_JSON_MEMBERS_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#pragma GCC visibility push(hidden)

namespace hearth {

namespace json_text {

inline std::size_t skipSpace(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
    ++at;
  return at;
}

/// `at` is on the opening quote; returns the place behind the closing one.
inline std::size_t skipString(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  }
  return text.size();
}

inline std::size_t skipValue(std::string_view text, std::size_t at) noexcept {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skipString(text, at);
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // of what is around a number or a word
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      return at;
    }
    ++at;
  }
  return at;
}

}  // namespace json_text

using JsonMember = std::pair<std::string_view, std::string_view>;

/// Key (without its quotes, its escapes as written) and value of each member of `object`, which is
/// valid JSON; views into it. Empty where it is no object. What is not valid is cut off somewhere,
/// never read beyond.
inline std::vector<JsonMember> jsonMembers(std::string_view object) {
  using namespace json_text;
  std::vector<JsonMember> members;
  std::size_t at = skipSpace(object, 0);
  if (at >= object.size() || object[at] != '{') return members;
  at = skipSpace(object, at + 1);
  while (at < object.size() && object[at] == '"') {
    const std::size_t keyEnd = skipString(object, at);
    if (keyEnd - at < 2) break;
    const std::string_view key = object.substr(at + 1, keyEnd - at - 2);
    at = skipSpace(object, keyEnd);
    if (at >= object.size() || object[at] != ':') break;
    at = skipSpace(object, at + 1);
    const std::size_t end = skipValue(object, at);
    members.emplace_back(key, object.substr(at, end - at));
    at = skipSpace(object, end);
    if (at >= object.size() || object[at] != ',') break;
    at = skipSpace(object, at + 1);
  }
  return members;
}

/// The value of `key`, or empty.
inline std::string_view jsonMember(std::string_view object, std::string_view key) {
  for (const JsonMember& member : jsonMembers(object))
    if (member.first == key) return member.second;
  return {};
}

/// The items of `array`, which is valid JSON; views into it. Empty where it is no array.
inline std::vector<std::string_view> jsonItems(std::string_view array) {
  using namespace json_text;
  std::vector<std::string_view> items;
  std::size_t at = skipSpace(array, 0);
  if (at >= array.size() || array[at] != '[') return items;
  at = skipSpace(array, at + 1);
  while (at < array.size() && array[at] != ']') {
    const std::size_t end = skipValue(array, at);
    items.push_back(array.substr(at, end - at));
    at = skipSpace(array, end);
    if (at >= array.size() || array[at] != ',') break;
    at = skipSpace(array, at + 1);
  }
  return items;
}

/// The text that a JSON string stands for, in UTF-8; empty where `value` is no string. Half of a
/// surrogate pair becomes U+FFFD.
inline std::string jsonText(std::string_view value) {
  std::string text;
  if (value.size() < 2 || value.front() != '"') return text;
  value = value.substr(1, value.size() - 2);
  const auto unit = [&](std::size_t at) {  // of \uXXXX at `at`, or -1
    if (at + 6 > value.size() || value[at] != '\\' || value[at + 1] != 'u') return -1L;
    long code = 0;
    for (const char c : value.substr(at + 2, 4)) {
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return -1L;
      code = code * 16 + digit;
    }
    return code;
  };
  const auto append = [&](long code) {
    const auto byte = [&](long bits) { text += static_cast<char>(bits); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
      byte(0xC0 | code >> 6);
    } else {
      if (code < 0x10000) {
        byte(0xE0 | code >> 12);
      } else {
        byte(0xF0 | code >> 18);
        byte(0x80 | (code >> 12 & 0x3F));
      }
      byte(0x80 | (code >> 6 & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
  };
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] != '\\' || at + 1 == value.size()) {
      text += value[at];
      continue;
    }
    if (long code = unit(at); code >= 0) {
      at += 5;
      const long low = code >= 0xD800 && code < 0xDC00 ? unit(at + 1) : -1;
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        at += 6;
      } else if (code >= 0xD800 && code < 0xE000) {
        code = 0xFFFD;
      }
      append(code);
      continue;
    }
    const char c = value[++at];
    text += c == 'n'   ? '\n'
            : c == 't' ? '\t'
            : c == 'r' ? '\r'
            : c == 'b' ? '\b'
            : c == 'f' ? '\f'
                       : c;
  }
  return text;
}

}  // namespace hearth

#pragma GCC visibility pop

#endif  // HEARTH_JSON_MEMBERS_HPP
