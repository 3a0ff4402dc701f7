#include "api/Bundle.h"

#include <cstddef>
#include <optional>
#include <string_view>

#include "api/JsonText.h"

namespace hearth::host {

using json_text::find;
using json_text::Member;
using json_text::skipSpace;

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view plain = "\"text/plain\"";

// The object without one of its members.
std::string without(std::string_view object, const Member& member) {
  std::size_t begin = member.begin;
  std::size_t end = skipSpace(object, member.end);
  if (end < object.size() && object[end] == ',')
    end = skipSpace(object, end + 1);
  else if (const std::size_t comma = object.find_last_not_of(" \t\r\n", begin - 1);
           object[comma] == ',')
    begin = comma;
  std::string rest(object.substr(0, begin));
  rest += object.substr(end);
  return rest;
}

// What is between the braces.
std::string_view inner(std::string_view object) {
  const std::size_t open = object.find('{');
  const std::size_t close = object.rfind('}');
  if (open == npos || close == npos) return {};
  const std::size_t begin = skipSpace(object, open + 1);
  const std::size_t last = object.find_last_not_of(" \t\r\n", close - 1);
  return last < begin ? std::string_view() : object.substr(begin, last + 1 - begin);
}

std::optional<Member> findHearth(std::string_view text) {
  if (text.find("\"hearth\"") == npos) return std::nullopt;
  const auto found = find(text, "\"hearth\"");
  return found && found->value.front() == '{' ? found : std::nullopt;
}

}  // namespace

Bundle Bundle::forLivy(const std::string& text) {
  const auto hearth = findHearth(text);
  return {hearth ? without(text, *hearth) : text, {}};
}

Bundle Bundle::forV1(const std::string& text) {
  const auto hearth = findHearth(text);
  if (!hearth) return {text, {}};
  Bundle bundle;
  bundle.data = without(text, *hearth);
  if (const auto metadata = find(hearth->value, "\"metadata\"")) bundle.metadata = metadata->value;
  const auto data = find(hearth->value, "\"data\"");
  std::string added(data ? data->value : std::string_view());
  // What the code has printed, before "hearth", goes before what the plugin has to say.
  if (find(std::string_view(text).substr(0, hearth->begin), plain))
    if (const auto other = find(added, plain)) added = without(added, *other);
  const std::string_view more = inner(added);
  if (more.empty()) return bundle;
  const bool alone = inner(bundle.data).empty();
  bundle.data.erase(bundle.data.rfind('}'));
  if (!alone) bundle.data += ',';
  bundle.data += more;
  bundle.data += '}';
  return bundle;
}

}  // namespace hearth::host
