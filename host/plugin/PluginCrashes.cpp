#include "plugin/PluginCrashes.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/FileContent.h"
#include "support/Log.h"
#include "support/Time.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t keptCrashes = 20;  // of one plugin
constexpr std::size_t keptNotes = 20;    // of all

void writeFile(const fs::path& file, const std::string& content) {
  const fs::path draft = file.string() + ".new";
  std::ofstream out(draft, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + draft.string());
  fs::permissions(draft, fs::perms::owner_read | fs::perms::owner_write);
  fs::rename(draft, file);
}

std::string text(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t timeOf(const json::value& crash) {
  const json::value* const time =
      crash.is_object() ? crash.get_object().if_contains("time") : nullptr;
  return time && time->is_int64() ? time->get_int64() : 0;
}

json::object readObject(const fs::path& file) {
  json::error_code error;
  json::value value = json::parse(fileContent(file), error);
  return !error && value.is_object() ? std::move(value.get_object()) : json::object();
}

json::array crashesOf(const json::object& history) {
  const json::value* const crashes = history.if_contains("crashes");
  return crashes && crashes->is_array() ? crashes->get_array() : json::array();
}

PluginCrashes::Entry entryOf(const json::object& history) {
  PluginCrashes::Entry entry;
  entry.plugin = text(history, "plugin");
  entry.version = text(history, "version");
  entry.path = text(history, "path");
  entry.file = text(history, "file");
  entry.quarantine = text(history, "quarantine");
  if (const json::value* const kinds = history.if_contains("kinds"); kinds && kinds->is_array())
    for (const json::value& kind : kinds->get_array())
      if (kind.is_string()) entry.kinds.emplace_back(kind.get_string());
  if (const json::array crashes = crashesOf(history);
      !crashes.empty() && crashes.back().is_object()) {
    const json::object& last = crashes.back().get_object();
    entry.time = timeOf(crashes.back());
    entry.summary = text(last, "summary");
    entry.signal = text(last, "signal");
    entry.slot = text(last, "slot");
    entry.session = text(last, "session");
    entry.note = text(last, "note");
    const json::value* const own = last.if_contains("own_thread");
    entry.ownThread = own && own->is_bool() && own->get_bool();
  }
  return entry;
}

// The newest notes only: each is some KiB, and a host may crash for days before somebody looks.
void dropOldNotes(const fs::path& folder) {
  std::vector<fs::path> notes;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".note") notes.push_back(entry.path());
  std::sort(notes.begin(), notes.end());  // by time, which their names begin with
  for (std::size_t i = 0; i + keptNotes < notes.size(); ++i) fs::remove(notes[i], ignored);
}

std::string span(std::chrono::milliseconds time) {
  const auto seconds = time.count() / 1000;
  return seconds % 60 == 0 ? std::to_string(seconds / 60) + " min" : std::to_string(seconds) + " s";
}

}  // namespace

PluginCrashes::PluginCrashes(fs::path folder, Options options)
    : folder_(std::move(folder)), options_(options) {}

fs::path PluginCrashes::fileOf(const std::string& instance) const {
  std::string name = instance.empty() ? "host itself" : instance;
  for (char& c : name)
    if (c == '/' || c == '\0') c = '_';
  if (name.front() == '.') name.front() = '_';
  return folder_ / (name + ".json");
}

std::optional<LastCrash> PluginCrashes::take(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  const std::string note = repairUtf8(fileContent(file));
  const auto report = CrashReport::parse(note);
  if (!report) return std::nullopt;
  log().error("the last run ended by {}", report->summary());
  for (const std::string& frame : report->frames) log().error("  {}", frame);
  LastCrash last;
  last.text = report->summary();
  last.plugin = report->plugin;
  try {
    last = keep(*report, note);
  } catch (const std::exception& failure) {
    log().error("what is known of that crash is not kept: {}", failure.what());
  }
  fs::remove(file, error);  // told once
  return last;
}

LastCrash PluginCrashes::keep(const CrashReport& report, const std::string& note) {
  fs::create_directories(folder_);
  fs::permissions(folder_, fs::perms::owner_all);
  const std::int64_t time = report.time > 0 ? report.time : nowMillis();
  const fs::path noteFile =
      folder_ /
      (std::to_string(time) + (report.plugin.empty() ? "" : "-" + report.plugin) + ".note");
  writeFile(noteFile, note);
  dropOldNotes(folder_);

  const fs::path file = fileOf(report.plugin);
  json::object history = readObject(file);
  if (text(history, "file") != report.file || text(history, "path") != report.path)
    history = json::object();  // another .so: it begins with a clean sheet
  json::array crashes = crashesOf(history);
  const int earlier = static_cast<int>(
      std::count_if(crashes.begin(), crashes.end(), [&report](const json::value& crash) {
        return crash.is_object() && !report.session.empty() &&
               text(crash.get_object(), "session") == report.session;
      }));
  crashes.push_back(json::object{{"time", time},
                                 {"signal", report.signal},
                                 {"slot", report.slot},
                                 {"session", report.session},
                                 {"own_thread", report.ownThread},
                                 {"summary", report.summary()},
                                 {"note", noteFile.string()}});
  if (crashes.size() > keptCrashes) crashes.erase(crashes.begin());
  const auto recent = std::count_if(crashes.begin(), crashes.end(), [&](const json::value& crash) {
    return timeOf(crash) > time - options_.window.count();
  });
  std::string why = text(history, "quarantine");
  if (why.empty() && options_.limit > 0 && !report.plugin.empty()) {
    if (report.takingUp)
      why = "it crashed the host while that was coming up";
    else if (recent >= options_.limit)
      why = "it crashed the host " + std::to_string(recent) + " times within " +
            span(options_.window);
    if (!why.empty()) log().error("plugin {} is in quarantine: {}", report.plugin, why);
  }
  json::array kinds;
  for (const std::string& kind : report.kinds) kinds.emplace_back(kind);
  history = json::object{{"plugin", report.plugin}, {"version", report.version},
                         {"path", report.path},     {"file", report.file},
                         {"kinds", kinds},          {"quarantine", why},
                         {"crashes", crashes}};
  writeFile(file, json::serialize(history) + "\n");

  LastCrash last;
  last.text = report.summary();
  last.plugin = report.plugin;
  last.statement = report.statement;
  last.ofSession = earlier + 1;
  if (!report.session.empty()) last.session = std::strtoll(report.session.c_str(), nullptr, 10);
  return last;
}

std::vector<PluginCrashes::Entry> PluginCrashes::all() const {
  std::vector<Entry> entries;
  std::error_code ignored;
  for (const auto& found : fs::directory_iterator(folder_, ignored))
    if (found.path().extension() == ".json") entries.push_back(entryOf(readObject(found.path())));
  return entries;
}

std::optional<PluginCrashes::Entry> PluginCrashes::last(const std::string& instance) const {
  const json::object history = readObject(fileOf(instance));
  if (history.empty() || text(history, "plugin") != instance) return std::nullopt;
  return entryOf(history);
}

std::string PluginCrashes::barred(const std::string& instance, const std::string& path) const {
  for (const Entry& entry : all()) {
    if (entry.quarantine.empty() || entry.path != path || entry.file != fileMark(path)) continue;
    if (entry.plugin != instance && !entry.ownThread) continue;
    return "it is in quarantine: " + entry.quarantine + "; the last was " + entry.summary +
           ", see " + entry.note + ". Replace " + path +
           ", or have it tried again by hearth plugin release " + entry.plugin +
           " (or the removal of " + fileOf(entry.plugin).string() + "), and start the host again";
  }
  return {};
}

std::string PluginCrashes::whyNoKind(const std::string& kind) const {
  const std::string plain = kind.substr(0, kind.find(':'));
  for (const Entry& entry : all())
    if (!entry.quarantine.empty() && entry.file == fileMark(entry.path) &&
        std::find(entry.kinds.begin(), entry.kinds.end(), plain) != entry.kinds.end())
      return "its plugin " + entry.plugin + " is in quarantine: " + entry.quarantine +
             "; the last was " + entry.summary;
  return {};
}

bool PluginCrashes::release(const std::string& instance) {
  std::error_code error;
  const bool gone = fs::remove(fileOf(instance), error);
  if (error) throw std::runtime_error(fileOf(instance).string() + ": " + error.message());
  return gone;
}

}  // namespace hearth::host
