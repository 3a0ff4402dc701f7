#include "WorkerOpening.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <hearth/plugin.hpp>
#include <iterator>
#include <string_view>

namespace hearth::pyspark {

namespace json = boost::json;

namespace {

constexpr std::string_view environmentPrefix = "spark.hearth.env.";

json::object parseObject(const std::string& text, const char* what) {
  if (text.empty()) return {};
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object())
    throw Error(HEARTH_E_INVALID, std::string(what) + " is no JSON object");
  return std::move(value.get_object());
}

std::string text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) throw Error(HEARTH_E_INVALID, std::string(key) + " is not a text");
  return std::string(value->get_string());
}

json::object member(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_object()) throw Error(HEARTH_E_INVALID, std::string(key) + " is not an object");
  return value->get_object();
}

std::string readFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw Error(HEARTH_E_IO, "cannot read " + path.string());
  return content;
}

std::map<std::string, std::string> readWorker(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".py")
      files[entry->path().filename().string()] = readFile(entry->path());
  if (files.count("worker.py") == 0)
    throw Error(HEARTH_E_INVALID, "the Python worker is not installed in " + folder.string());
  return files;
}

std::string firstOf(std::initializer_list<std::string> choices) {
  for (const std::string& choice : choices)
    if (!choice.empty()) return choice;
  return {};
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

WorkerOpening::WorkerOpening(const std::string& configJson) {
  const json::object config = parseObject(configJson, "the configuration");
  python_ = text(config, "python");
  files_ = readWorker(text(config, "plugin_dir") + "/repl");
}

std::string WorkerOpening::json(const std::string& optionsJson) const {
  const json::object conf =
      member(member(parseObject(optionsJson, "the options"), "request"), "conf");
  const std::string python =
      firstOf({text(conf, "spark.pyspark.driver.python"), text(conf, "spark.pyspark.python"),
               python_, environment("PYSPARK_PYTHON"), "python3"});

  json::object variables;
  for (const auto& item : conf) {
    const std::string_view key(item.key().data(), item.key().size());
    if (key.substr(0, environmentPrefix.size()) == environmentPrefix)
      variables[item.key().substr(environmentPrefix.size())] = text(conf, key);
  }
  // Executors hash strings with this seed; a worker with another one would disagree with them.
  variables["PYTHONHASHSEED"] = "0";

  json::object files;
  for (const auto& [name, content] : files_) files[name] = content;
  json::object opening;
  opening["argv"] = json::array{python, "-u", "{dir}/worker.py"};
  opening["env"] = std::move(variables);
  opening["attach"] = "py4j";
  opening["files"] = std::move(files);
  return json::serialize(opening);
}

}  // namespace hearth::pyspark
