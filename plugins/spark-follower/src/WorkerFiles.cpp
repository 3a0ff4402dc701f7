#include "WorkerFiles.h"

#include <filesystem>
#include <fstream>
#include <hearth/plugin.hpp>
#include <iterator>

#include "JsonOptions.h"

namespace hearth::spark {

namespace json = boost::json;

namespace {

constexpr std::string_view environmentPrefix = "spark.hearth.env.";

std::string readFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw Error(HEARTH_E_IO, "cannot read " + path.string());
  return content;
}

}  // namespace

json::object readWorkerFiles(const std::string& folder, std::string_view extension,
                             const char* main, const char* what) {
  json::object files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == extension)
      files[entry->path().filename().string()] = readFile(entry->path());
  if (!files.contains(main))
    throw Error(HEARTH_E_INVALID, std::string(what) + " is not installed in " + folder);
  return files;
}

json::object workerEnvironment(const json::object& conf) {
  json::object variables;
  for (const auto& item : conf) {
    const std::string_view key(item.key().data(), item.key().size());
    if (key.substr(0, environmentPrefix.size()) == environmentPrefix)
      variables[item.key().substr(environmentPrefix.size())] = textIn(conf, key);
  }
  return variables;
}

}  // namespace hearth::spark
