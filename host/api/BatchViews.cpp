#include "api/BatchViews.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cctype>

#include "support/JsonWriter.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

namespace json = boost::json;

namespace {

struct AppInfo {
  std::string appId, driverLogUrl, sparkUiUrl;
};

AppInfo appInfoOf(const BatchView& view) {
  AppInfo info;
  boost::system::error_code error;
  const json::value parsed = json::parse(view.row.info.empty() ? "{}" : view.row.info, error);
  if (!error && parsed.is_object())
    for (const auto& [key, to] :
         {std::pair{"appId", &info.appId}, std::pair{"driverLogUrl", &info.driverLogUrl},
          std::pair{"sparkUiUrl", &info.sparkUiUrl}}) {
      const json::value* value = parsed.get_object().if_contains(key);
      if (value != nullptr && value->is_string()) *to = value->get_string().c_str();
    }
  // What the log says holds while the application runs: its UI goes with it.
  if (!view.live || (!info.appId.empty() && !info.sparkUiUrl.empty())) return info;
  if (isFinal(view.live->state())) return info;
  const ApplicationLog::Found found = view.live->found();
  if (info.appId.empty()) info.appId = found.applicationId;
  if (info.sparkUiUrl.empty()) info.sparkUiUrl = found.sparkUiUrl;
  return info;
}

void writeAppInfo(JsonWriter& out, const AppInfo& info) {
  out.key("appInfo").beginObject();
  out.key("driverLogUrl").stringOrNull(info.driverLogUrl);
  out.key("sparkUiUrl").stringOrNull(info.sparkUiUrl);
  out.key("executorLogUrls").null();
  out.endObject();
}

BatchRequest requestOf(const BatchView& view) {
  if (view.live) return view.live->request();
  try {
    return BatchRequest::parseStored(view.row.request);
  } catch (const Refusal& error) {
    log().error("batch {}: its stored request cannot be read: {}", view.row.id, error.what());
    return {};
  }
}

bool isSecret(std::string key) {
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* mark : {"secret", "password", "passwd", "token", "credential", "access.key",
                           "accesskey", "access_key", "api.key", "apikey", "api_key"})
    if (key.find(mark) != std::string::npos) return true;
  return false;
}

void writeRequest(JsonWriter& out, const BatchRequest& request) {
  out.key("file").string(request.file);
  out.key("className").stringOrNull(request.className);
  out.key("args").strings(request.args);
  out.key("jars").strings(request.jars);
  out.key("pyFiles").strings(request.pyFiles);
  out.key("files").strings(request.files);
  out.key("archives").strings(request.archives);
  out.key("driverMemory").stringOrNull(request.driverMemory);
  out.key("driverCores").integer(request.driverCores);
  out.key("executorMemory").stringOrNull(request.executorMemory);
  out.key("executorCores").integer(request.executorCores);
  out.key("numExecutors").integer(request.numExecutors);
  out.key("queue").stringOrNull(request.queue);
  out.key("conf").beginObject();
  for (const auto& [key, value] : request.conf)
    out.key(key).string(isSecret(key) ? "*********(redacted)" : value);
  out.endObject();
  // Whose values are for the application alone.
  std::vector<std::string> names;
  for (const auto& variable : request.env) names.push_back(variable.first);
  out.key("env").strings(names);
  out.key("pythonPath").stringOrNull(request.pythonPath);
}

}  // namespace

LogFile::Page batchLog(const BatchView& view, std::int64_t from, std::int64_t size) {
  if (view.live) return view.live->log().read(from, size);
  return LogFile(view.row.folder + "/batch.log").read(from, size);
}

LogFile::Page livyBatchLog(const BatchView& view, std::int64_t from, std::int64_t size) {
  LogFile unheld(view.row.folder + "/batch.log");
  LogFile& file = view.live ? view.live->log() : unheld;
  LogFile::Page page;
  const std::int64_t lines = file.read(0, 0).total;
  page.total = lines + 2;
  if (size < 0) size = page.total;
  page.from = from < 0 ? std::max<std::int64_t>(0, page.total - size) : std::min(from, page.total);
  const std::int64_t end = page.from + std::min(size, page.total - page.from);
  if (page.from == 0 && end > 0) page.lines.emplace_back("stdout: ");
  const std::int64_t first = std::max<std::int64_t>(0, page.from - 1);
  const std::int64_t last = std::min(lines, end - 1);
  if (first < last) {
    LogFile::Page own = file.read(first, last - first);
    page.lines.insert(page.lines.end(), std::make_move_iterator(own.lines.begin()),
                      std::make_move_iterator(own.lines.end()));
  }
  if (end == page.total && end > page.from) page.lines.emplace_back("\nstderr: ");
  return page;
}

std::string livyBatch(const BatchView& view) {
  const BatchRow& row = view.row;
  const AppInfo info = appInfoOf(view);
  JsonWriter out;
  out.beginObject();
  out.key("id").integer(row.id);
  out.key("name").stringOrNull(row.name);
  out.key("owner").stringOrNull(row.owner);
  out.key("proxyUser").stringOrNull(row.proxyUser);
  out.key("state").string(row.state);
  out.key("appId").stringOrNull(info.appId);
  writeAppInfo(out, info);
  out.key("log").strings(livyBatchLog(view, -1, 10).lines);
  out.endObject();
  return out.take();
}

std::string v1Batch(const BatchView& view) {
  const BatchRow& row = view.row;
  const AppInfo info = appInfoOf(view);
  const std::string self = "/v1/batches/" + std::to_string(row.id);
  JsonWriter out;
  out.beginObject();
  out.key("id").integer(row.id);
  out.key("name").stringOrNull(row.name);
  out.key("state").string(row.state);
  out.key("reason").stringOrNull(row.reason);
  out.key("queuePosition");
  if (view.position)
    out.integer(static_cast<std::int64_t>(*view.position));
  else
    out.null();
  for (const auto& [key, millis] :
       {std::pair{"created", row.created}, std::pair{"submitted", row.submitted},
        std::pair{"stateSince", row.stateSince}, std::pair{"ended", row.ended}})
    out.key(key).stringOrNull(isoTime(millis));
  out.key("deleted").boolean(row.deleted);
  out.key("owner").stringOrNull(row.owner);
  out.key("proxyUser").stringOrNull(row.proxyUser);
  out.key("appId").stringOrNull(info.appId);
  writeAppInfo(out, info);
  writeRequest(out, requestOf(view));
  out.key("links").beginObject();
  out.key("self").string(self);
  out.key("log").string(self + "/log");
  out.endObject();
  out.endObject();
  return out.take();
}

}  // namespace hearth::host
