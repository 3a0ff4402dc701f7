#include "api/ResultRows.h"

#include <algorithm>
#include <string_view>

#include "api/JsonText.h"

namespace hearth::host {

namespace {

constexpr std::size_t mostBytes = 16u << 20;

struct Kind {
  std::string_view mime;     // quoted, as a key
  std::string_view columns;  // the member that tells them
};
constexpr Kind kinds[] = {{"\"application/vnd.livy.table.v1+json\"", "\"headers\""},
                          {"\"application/json\"", "\"schema\""}};

}  // namespace

std::optional<ResultRows> ResultRows::of(const std::string& bundle, std::int64_t from,
                                         std::int64_t size) {
  for (const Kind& kind : kinds) {
    const auto result = json_text::find(bundle, kind.mime);
    if (!result) continue;
    const auto columns = json_text::find(result->value, kind.columns);
    const auto data = json_text::find(result->value, "\"data\"");
    if (!columns || !data || data->value.front() != '[') continue;
    ResultRows page;
    page.mime = kind.mime.substr(1, kind.mime.size() - 2);
    page.columns = columns->value;
    page.rows = "[";
    const std::string_view text = data->value;
    std::int64_t taken = 0;
    bool full = false;
    for (std::size_t at = json_text::skipSpace(text, 1); at < text.size() && text[at] != ']';) {
      const std::size_t end = json_text::skipValue(text, at);
      if (end == std::string_view::npos) return std::nullopt;
      if (page.total >= from && taken < size && !full) {
        if (taken++ > 0) page.rows += ',';
        page.rows += text.substr(at, end - at);
        full = page.rows.size() > mostBytes;
      }
      ++page.total;
      at = json_text::skipSpace(text, end);
      if (at < text.size() && text[at] == ',') at = json_text::skipSpace(text, at + 1);
    }
    page.rows += ']';
    page.from = std::min(from, page.total);
    return page;
  }
  return std::nullopt;
}

}  // namespace hearth::host
