#include "Text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>

namespace hearth::jupyter {

namespace {

std::uint32_t hexAt(std::string_view text, std::size_t at) {
  std::uint32_t code = 0;
  if (at + 4 <= text.size()) std::from_chars(text.data() + at, text.data() + at + 4, code, 16);
  return code;
}

void appendUtf8(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t bits) { text += static_cast<char>(bits); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

}  // namespace

std::string textMember(std::string_view object, std::string_view key) {
  return textOf(jsonMember(object, key));
}

std::string textOf(std::string_view json) {
  std::string text;
  if (json.size() < 2 || json.front() != '"') return text;
  json = json.substr(1, json.size() - 2);
  text.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t escape = std::min(json.find('\\', at), json.size());
    text += json.substr(at, escape - at);
    at = escape + 2;
    if (at > json.size()) break;
    const char c = json[escape + 1];
    if (c != 'u') {
      static constexpr std::string_view letters = "bfnrt", stands = "\b\f\n\r\t";
      const std::size_t known = letters.find(c);
      text += known == std::string_view::npos ? c : stands[known];
      continue;
    }
    std::uint32_t code = hexAt(json, at);
    at += 4;
    if (code >= 0xD800 && code < 0xDC00 && json.substr(std::min(at, json.size()), 2) == "\\u") {
      code = 0x10000 + ((code - 0xD800) << 10) + (hexAt(json, at + 2) - 0xDC00);
      at += 6;
    }
    appendUtf8(text, code);
  }
  return text;
}

std::string_view objectMember(std::string_view object, std::string_view key) {
  const std::string_view written = jsonMember(object, key);
  return written.empty() || written.front() != '{' ? std::string_view("{}") : written;
}

// ECMA-48: ESC [ parameters, intermediates, one final byte; ESC ] text up to BEL or ESC \; or ESC
// and one more character.
std::string withoutAnsi(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\x1b') {
      out += text[at++];
      continue;
    }
    ++at;
    if (at < text.size() && text[at] == '[') {
      ++at;
      while (at < text.size() && text[at] >= 0x20 && text[at] < 0x40) ++at;
      if (at < text.size()) ++at;
    } else if (at < text.size() && text[at] == ']') {
      while (at < text.size() && text[at] != '\a' && text[at] != '\x1b') ++at;
      if (at < text.size() && text[at] == '\a') ++at;
    } else if (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
    }
  }
  return out;
}

std::string errorBundle(const std::string& name, const std::string& value,
                        const std::vector<std::string>& traceback) {
  std::string bundle = "{\"ename\":" + hearth::quoted(name) +
                       ",\"evalue\":" + hearth::quoted(value) + ",\"traceback\":[";
  for (std::size_t i = 0; i < traceback.size(); ++i)
    bundle += (i == 0 ? "" : ",") + hearth::quoted(traceback[i]);
  return bundle + "]}";
}

}  // namespace hearth::jupyter
