#include "api/Notebook.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "api/Bundle.h"
#include "support/JsonWriter.h"

namespace hearth::host {

namespace json = boost::json;

namespace {

constexpr std::int64_t cellsPerTurn = 16;

std::string languageOf(const std::string& kind) {
  if (kind == "spark") return "scala";
  if (kind == "pyspark") return "python";
  if (kind == "sparkr") return "R";
  return kind;
}

void stream(JsonWriter& out, const char* name, const std::string& text) {
  if (text.empty()) return;
  out.beginObject();
  out.key("output_type").string("stream");
  out.key("name").string(name);
  out.key("text").string(text);
  out.endObject();
}

void error(JsonWriter& out, const json::object& bundle) {
  const auto text = [&](const char* key) {
    const json::value* value = bundle.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  out.beginObject();
  out.key("output_type").string("error");
  out.key("ename").string(text("ename"));
  out.key("evalue").string(text("evalue"));
  out.key("traceback").beginArray();
  if (const json::value* lines = bundle.if_contains("traceback"); lines && lines->is_array())
    for (const json::value& line : lines->get_array())
      if (line.is_string()) out.string(line.get_string());
  out.endArray().endObject();
}

// Livy's results repeat what was printed; in a notebook that is a stream of its own.
void dropPrinted(json::object& data, const std::string& printed) {
  json::value* const plain = data.if_contains("text/plain");
  if (!plain || !plain->is_string()) return;
  const std::string_view text(plain->get_string().data(), plain->get_string().size());
  std::string_view before(printed);
  while (!before.empty() && before.back() == '\n') before.remove_suffix(1);
  if (before.empty() || text.substr(0, before.size()) != before) {
    if (text.empty()) data.erase("text/plain");
    return;
  }
  std::string_view rest = text.substr(before.size());
  if (!rest.empty() && rest.front() != '\n') return;  // a longer word, not what was printed
  while (!rest.empty() && rest.front() == '\n') rest.remove_prefix(1);
  if (rest.empty())
    data.erase("text/plain");
  else
    data["text/plain"] = std::string(rest);
}

// They also repeat what was shown, for clients that see nothing else.
void dropShown(json::object& data, const json::value& displays) {
  if (!displays.is_array()) return;
  for (const json::value& bundle : displays.get_array()) {
    if (!bundle.is_object()) continue;
    for (const auto& [mime, value] : bundle.get_object())
      if (const json::value* repeated = data.if_contains(mime); repeated && *repeated == value)
        data.erase(mime);
  }
}

void result(JsonWriter& out, const StatementRow& row, const json::value& displays) {
  boost::system::error_code failed;
  const json::value parsed = json::parse(Bundle::forV1(row.bundle).data, failed);
  if (failed || !parsed.is_object()) return;
  if (row.outcome != "ok") return error(out, parsed.get_object());
  json::object data = parsed.get_object();
  dropPrinted(data, row.out);
  dropShown(data, displays);
  if (data.empty()) return;
  out.beginObject();
  out.key("output_type").string("execute_result");
  out.key("execution_count").integer(row.id + 1);
  out.key("data").raw(json::serialize(data));
  out.key("metadata").beginObject().endObject();
  out.endObject();
}

}  // namespace

std::string notebookCell(const StatementRow& row) {
  JsonWriter out;
  out.beginObject();
  out.key("cell_type").string("code");
  out.key("id").string("statement-" + std::to_string(row.id));
  out.key("execution_count").integer(row.id + 1);
  out.key("metadata").beginObject();
  out.key("hearth").beginObject();
  out.key("kind").string(row.kind);
  out.key("state").string(row.state);
  out.endObject().endObject();
  out.key("source").string(row.code);
  out.key("outputs").beginArray();
  stream(out, "stdout", row.out);
  stream(out, "stderr", row.err);
  boost::system::error_code failed;
  const json::value displays = json::parse("[" + row.displays + "]", failed);
  if (!failed && displays.is_array())
    for (const json::value& bundle : displays.get_array()) {
      out.beginObject();
      out.key("output_type").string("display_data");
      out.key("data").raw(json::serialize(bundle));
      out.key("metadata").beginObject().endObject();
      out.endObject();
    }
  if (!row.bundle.empty()) result(out, row, displays);
  out.endArray().endObject();
  return out.take();
}

Notebook::Notebook(const SessionManager& manager, SessionView view)
    : manager_(manager), view_(std::move(view)) {}

BodyStream::Next Notebook::read(std::string& out, std::size_t most, std::function<void()>) {
  if (!begun_) {
    begun_ = true;
    out += R"({"nbformat":4,"nbformat_minor":5,"metadata":)";
    const std::string& kind = view_.row.kind;
    JsonWriter meta;
    meta.beginObject();
    meta.key("kernelspec").beginObject();
    meta.key("display_name").string(kind);
    meta.key("name").string(kind);
    meta.key("language").string(languageOf(kind));
    meta.endObject();
    meta.key("language_info").beginObject().key("name").string(languageOf(kind)).endObject();
    meta.key("hearth").beginObject();
    meta.key("session").integer(view_.row.id);
    meta.key("name").stringOrNull(view_.row.name);
    meta.endObject().endObject();
    out += meta.take() + ",\"cells\":[";
  }
  while (out.size() < most) {
    const auto page = manager_.statements(view_, next_, cellsPerTurn, false);
    for (const auto& row : page.statements) {
      if (next_++ > 0) out += ',';
      out += notebookCell(*row);
      if (out.size() >= most) return Next::more;
    }
    if (page.statements.empty()) {
      out += "]}";
      return Next::end;
    }
  }
  return Next::more;
}

}  // namespace hearth::host
