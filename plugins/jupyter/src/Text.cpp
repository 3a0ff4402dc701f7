#include "Text.h"

#include <boost/json/parse.hpp>
#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>

namespace hearth::jupyter {

namespace json = boost::json;

std::string textMember(std::string_view object, std::string_view key) {
  return textOf(jsonMember(object, key));
}

std::string textOf(std::string_view written) {
  if (written.empty() || written.front() != '"') return {};
  json::error_code error;
  const json::value value = json::parse({written.data(), written.size()}, error);
  return error || !value.is_string() ? std::string() : std::string(value.get_string());
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
