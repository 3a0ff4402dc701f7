#include "policy/Templates.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "policy/ConfKeys.h"
#include "policy/PolicyRefusal.h"
#include "support/JsonBody.h"
#include "support/Nearest.h"

namespace hearth::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t maxBytes = 64u << 10;

bool isTemplateName(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

Template parse(const std::string& text, const std::string& stem) {
  const JsonBody body(text);
  body.allowOnly({"name", "description", "kind", "fields", "conf", "locked"});
  Template made;
  made.name = body.text("name", stem);
  if (!isTemplateName(made.name))
    throw JsonFieldError("a name has letters, digits, '-', '_' and '.', at most 64");
  made.description = body.text("description");
  made.locked = body.texts("locked");
  SparkRequest& values = made.values;
  values.kind = body.text("kind");
  values.conf = normalisedConf(body.textMap("conf"));
  if (!body.has("fields")) return made;
  const JsonBody fields(body.object("fields"));
  fields.allowOnly(template_fields::names());
  template_fields::read(fields, values);
  return made;
}

bool isLocked(const Template& from, const std::string& key) {
  return std::any_of(from.locked.begin(), from.locked.end(), [&](const std::string& locked) {
    const std::string field = request_keys::keyOfField(locked);
    return matchesKey(field.empty() ? locked : field, key);
  });
}

[[noreturn]] void locked(const Template& from, const std::string& key) {
  throw PolicyRefusal("policy.templates",
                      "the template '" + from.name + "' locks " + key.substr(0, 200));
}

void checkLocks(const Template& from, const SparkRequest& request) {
  const auto check = [&](const std::string& key) {
    if (isLocked(from, key) &&
        request_keys::valueOf(request, key) != request_keys::valueOf(from.values, key))
      locked(from, key);
  };
  for (const auto& given : request_keys::givenFields(request)) check(given.second);
  for (const auto& entry : request.conf) check(entry.first);
  for (const auto& property : request_keys::javaProperties(request))
    if (isLocked(from, property.key)) locked(from, property.key);
  if (!request.kind.empty() && request.kind != from.values.kind && isLocked(from, "kind"))
    locked(from, "kind");
}

}  // namespace

namespace template_fields {

const std::vector<std::string>& names() {
  static const std::vector<std::string> all = {
      "jars",        "pyFiles",        "files",         "archives",     "driverMemory",
      "driverCores", "executorMemory", "executorCores", "numExecutors", "queue"};
  return all;
}

void read(const JsonBody& fields, SparkRequest& values) {
  values.jars = fields.texts("jars");
  values.pyFiles = fields.texts("pyFiles");
  values.files = fields.texts("files");
  values.archives = fields.texts("archives");
  values.driverMemory = fields.text("driverMemory");
  values.driverCores = fields.count("driverCores");
  values.executorMemory = fields.text("executorMemory");
  values.executorCores = fields.count("executorCores");
  values.numExecutors = fields.count("numExecutors");
  values.queue = fields.text("queue");
}

void putUnder(SparkRequest& request, SparkRequest values) {
  // Whichever way the request gives a key, neither its field nor its conf of the template is left.
  for (const auto& given : request_keys::givenFields(request))
    request_keys::erase(values, given.second);
  for (const auto& entry : request.conf) request_keys::erase(values, entry.first);
  for (const auto& [key, value] : values.conf) request.conf.emplace(key, value);
  const auto text = [](std::string& to, const std::string& value) {
    if (!value.empty()) to = value;
  };
  const auto count = [](std::int64_t& to, std::int64_t value) {
    if (value != 0) to = value;
  };
  const auto list = [](std::vector<std::string>& to, const std::vector<std::string>& value) {
    if (!value.empty()) to = value;
  };
  list(request.jars, values.jars);
  list(request.pyFiles, values.pyFiles);
  list(request.files, values.files);
  list(request.archives, values.archives);
  text(request.driverMemory, values.driverMemory);
  text(request.executorMemory, values.executorMemory);
  text(request.queue, values.queue);
  count(request.driverCores, values.driverCores);
  count(request.executorCores, values.executorCores);
  count(request.numExecutors, values.numExecutors);
}

}  // namespace template_fields

Templates Templates::load(const std::string& folder) {
  Templates found;
  if (folder.empty()) return found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path path = entry->path();
    if (path.extension() != ".json") continue;
    try {
      std::ifstream file(path, std::ios::binary);
      std::string text(std::istreambuf_iterator<char>(file), {});
      if (!file.good() && !file.eof()) throw JsonFieldError("it cannot be read");
      if (text.size() > maxBytes) throw JsonFieldError("it has more than 64 KiB");
      Template made = parse(text, path.stem().string());
      const std::string name = made.name;
      if (!found.all_.emplace(name, std::move(made)).second)
        throw JsonFieldError("there is another template '" + name + "'");
    } catch (const std::runtime_error& wrong) {
      throw TemplateError("the template " + path.string() + ": " + wrong.what());
    }
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw TemplateError("policy.templates_dir = " + folder + ": " + error.message());
  return found;
}

const Template& Templates::find(const std::string& name) const {
  const auto found = all_.find(name);
  if (found != all_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& entry : all_) names.push_back(entry.first);
  const std::string near = nearest(name, names);
  throw PolicyRefusal("policy.templates",
                      "there is no template '" + name.substr(0, 200) + "'" +
                          (near.empty() ? std::string() : ", did you mean '" + near + "'?") +
                          " (GET /v1/templates lists them)");
}

void Templates::apply(SparkRequest& request) const {
  if (request.templateName.empty()) return;
  const Template& from = find(request.templateName);
  checkLocks(from, request);
  if (request.kind.empty()) request.kind = from.values.kind;
  template_fields::putUnder(request, from.values);
}

}  // namespace hearth::host
