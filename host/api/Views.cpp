#include "api/Views.h"

#include <boost/json/parse.hpp>

#include "api/Bundle.h"
#include "support/JsonWriter.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

namespace json = boost::json;

namespace {

CreateRequest requestOf(const SessionView& view) {
  if (view.live) return view.live->request();
  try {
    return CreateRequest::parseStored(view.row.request);
  } catch (const Refusal& error) {
    log().error("session {}: its stored request cannot be read: {}", view.row.id, error.what());
    return {};
  }
}

// What plugins told of their application.
class Info {
 public:
  explicit Info(const std::string& text) {
    if (text.empty()) return;
    boost::system::error_code error;
    json::value parsed = json::parse(text, error);
    if (!error && parsed.is_object()) object_ = std::move(parsed.get_object());
  }
  std::string text(const char* key) const { return textIn(object_, key); }
  std::string appInfo(const char* key) const {
    const json::value* nested = object_.if_contains("appInfo");
    return nested && nested->is_object() ? textIn(nested->get_object(), key) : std::string();
  }

 private:
  static std::string textIn(const json::object& in, const char* key) {
    const json::value* value = in.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string().c_str()) : std::string();
  }
  json::object object_;
};

void writeAppInfo(JsonWriter& out, const Info& info) {
  out.key("appInfo").beginObject();
  out.key("driverLogUrl").stringOrNull(info.appInfo("driverLogUrl"));
  out.key("sparkUiUrl").stringOrNull(info.appInfo("sparkUiUrl"));
  out.key("executorLogUrls").null();
  out.endObject();
}

void writeRequest(JsonWriter& out, const CreateRequest& request) {
  out.key("ttl").stringOrNull(request.ttl);
  out.key("idleTimeout").stringOrNull(request.idleTimeout);
  out.key("driverMemory").stringOrNull(request.driverMemory);
  out.key("driverCores").integer(request.driverCores);
  out.key("executorMemory").stringOrNull(request.executorMemory);
  out.key("executorCores").integer(request.executorCores);
  out.key("conf").beginObject();
  for (const auto& [key, value] : request.conf) out.key(key).string(value);
  out.endObject();
  out.key("archives").strings(request.archives);
  out.key("files").strings(request.files);
  out.key("heartbeatTimeoutInSecond").integer(request.heartbeatTimeoutInSecond);
  out.key("jars").strings(request.jars);
  out.key("numExecutors").integer(request.numExecutors);
  out.key("pyFiles").strings(request.pyFiles);
  out.key("queue").stringOrNull(request.queue);
}

// {"status":..,"execution_count":..,"data":<bundle>} or the error's fields in its place.
std::string output(const StatementRow& row, const Bundle& bundle) {
  if (bundle.data.empty()) return {};
  std::string text;
  text.reserve(bundle.data.size() + bundle.metadata.size() + 64);
  const bool ok = row.outcome == "ok";
  text += ok ? R"({"status":"ok","execution_count":)" : R"({"status":"error","execution_count":)";
  text += std::to_string(row.id);
  if (!bundle.metadata.empty()) (text += ",\"metadata\":") += bundle.metadata;
  if (ok) {
    text += ",\"data\":";
    text += bundle.data;
    text += '}';
    return text;
  }
  const auto first = bundle.data.find_first_not_of(" \t\r\n", 1);
  if (first != std::string::npos && bundle.data[first] != '}') text += ',';
  text.append(bundle.data, 1, std::string::npos);
  return text;
}

void writeTime(JsonWriter& out, const char* key, std::int64_t millis) {
  out.key(key).stringOrNull(isoTime(millis));
}

}  // namespace

LogFile::Page sessionLog(const SessionView& view, std::int64_t from, std::int64_t size) {
  if (view.live) return view.live->log().read(from, size);
  return LogFile(view.row.folder + "/session.log").read(from, size);
}

std::string livySession(const SessionView& view) {
  const SessionRow& row = view.row;
  const CreateRequest request = requestOf(view);
  const Info info(row.info);
  JsonWriter out;
  out.beginObject();
  out.key("id").integer(row.id);
  out.key("name").stringOrNull(row.name);
  out.key("appId").stringOrNull(info.text("appId"));
  out.key("owner").stringOrNull(row.owner);
  out.key("proxyUser").stringOrNull(row.proxyUser);
  out.key("state").string(row.state);
  out.key("kind").string(row.kind);
  writeAppInfo(out, info);
  out.key("log").strings(sessionLog(view, -1, 10).lines);
  writeRequest(out, request);
  out.endObject();
  return out.take();
}

std::string livyStatement(const StatementRow& row) {
  JsonWriter out;
  out.beginObject();
  out.key("id").integer(row.id);
  out.key("code").string(row.code);
  out.key("state").string(row.state);
  out.key("output").raw(output(row, Bundle::forLivy(row.bundle)));
  out.key("progress").number(row.progress);
  out.key("started").integer(row.started);
  out.key("completed").integer(row.completed);
  out.endObject();
  return out.take();
}

std::string v1Session(const SessionView& view) {
  const SessionRow& row = view.row;
  const CreateRequest request = requestOf(view);
  const Info info(row.info);
  const std::string self = "/v1/sessions/" + std::to_string(row.id);
  JsonWriter out;
  out.beginObject();
  out.key("id").integer(row.id);
  out.key("name").stringOrNull(row.name);
  out.key("kind").string(row.kind);
  out.key("template").stringOrNull(request.templateName);
  out.key("state").string(row.state);
  out.key("reason").stringOrNull(row.reason);
  writeTime(out, "stateSince", row.stateSince);
  writeTime(out, "created", row.created);
  writeTime(out, "ended", row.ended);
  out.key("deleted").boolean(row.deleted);
  out.key("owner").stringOrNull(row.owner);
  out.key("proxyUser").stringOrNull(row.proxyUser);
  out.key("appId").stringOrNull(info.text("appId"));
  out.key("sparkVersion").stringOrNull(info.text("sparkVersion"));
  out.key("plugin").stringOrNull(info.text("plugin"));
  writeAppInfo(out, info);
  writeRequest(out, request);
  out.key("links").beginObject();
  out.key("self").string(self);
  out.key("statements").string(self + "/statements");
  out.key("log").string(self + "/log");
  out.endObject();
  out.endObject();
  return out.take();
}

std::string v1Statement(const StatementRow& row) {
  JsonWriter out;
  out.beginObject();
  out.key("id").integer(row.id);
  out.key("kind").string(row.kind);
  out.key("code").string(row.code);
  out.key("state").string(row.state);
  out.key("outcome").stringOrNull(row.outcome);
  out.key("output").raw(output(row, Bundle::forV1(row.bundle)));
  out.key("stdout").string(row.out);
  out.key("stderr").string(row.err);
  out.key("displays").raw("[" + row.displays + "]");
  out.key("progress").number(row.progress);
  writeTime(out, "submitted", row.submitted);
  writeTime(out, "started", row.started);
  writeTime(out, "completed", row.completed);
  out.endObject();
  return out.take();
}

}  // namespace hearth::host
