#include "submit/Properties.h"

#include <cstdint>

namespace hearth::submit {

namespace {

constexpr std::string_view blanks = " \t\f";

std::string_view withoutLeadingBlanks(std::string_view text) {
  const auto start = text.find_first_not_of(blanks);
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

void appendUtf8(std::string& text, std::uint32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xC0 | c >> 6);
    text += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    text += static_cast<char>(0xE0 | c >> 12);
    text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (c & 0x3F));
  }
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'n' || c == 't' || c == 'r' || c == 'f') {
      plain += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : '\f';
      continue;
    }
    std::uint32_t code = 0;
    std::size_t digits = 0;
    while (c == 'u' && digits < 4 && i + 1 < text.size() && hexDigit(text[i + 1]) >= 0) {
      code = code * 16 + static_cast<std::uint32_t>(hexDigit(text[++i]));
      ++digits;
    }
    if (digits == 4)
      appendUtf8(plain, code);
    else
      plain += c;
  }
  return plain;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\f\r\n";
  const auto start = text.find_first_not_of(space);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(space) - start + 1);
}

void addLine(Properties& properties, std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && std::string_view("=: \t\f").find(line[end]) == std::string_view::npos)
    end += line[end] == '\\' ? 2 : 1;
  if (end > line.size()) end = line.size();
  std::string_view value = withoutLeadingBlanks(line.substr(end));
  if (!value.empty() && (value[0] == '=' || value[0] == ':'))
    value = withoutLeadingBlanks(value.substr(1));
  properties[unescape(line.substr(0, end))] = trimmed(unescape(value));
}

bool goesOn(std::string_view line) {
  std::size_t backslashes = 0;
  while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

void escape(std::string& text, std::string_view plain, bool key) {
  bool start = true;
  for (const char c : plain) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '\t') {
      text += "\\t";
    } else if (c == '\f') {
      text += "\\f";
    } else {
      if (c == '\\' || (c == ' ' && (key || start)) ||
          (key && std::string_view("=:#!").find(c) != std::string_view::npos))
        text += '\\';
      text += c;
    }
    start = false;
  }
}

}  // namespace

Properties parseProperties(std::string_view text) {
  Properties properties;
  std::string logical;
  bool going = false;
  while (!text.empty()) {
    const auto end = text.find_first_of("\r\n");
    const std::string_view line = withoutLeadingBlanks(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!going && (line.empty() || line[0] == '#' || line[0] == '!')) continue;
    logical += line;
    going = goesOn(line) && !text.empty();
    if (going) {
      logical.pop_back();
      // A carriage return and its line feed are one end of line.
      if (end != std::string_view::npos && text[0] == '\n' && *(text.data() - 1) == '\r')
        text.remove_prefix(1);
      continue;
    }
    addLine(properties, logical);
    logical.clear();
  }
  if (going && !logical.empty()) addLine(properties, logical);
  return properties;
}

std::string formatProperties(const Properties& properties) {
  std::string text;
  for (const auto& [key, value] : properties) {
    escape(text, key, true);
    text += '=';
    escape(text, value, false);
    text += '\n';
  }
  return text;
}

}  // namespace hearth::submit
