#include "policy/DefaultFileSystem.h"

#include <algorithm>
#include <utility>

#include "policy/ConfKeys.h"

namespace hearth::host {

namespace {

// Spark's, that Livy resolves.
constexpr const char* fileLists[] = {
    "spark.jars",           "spark.files",           "spark.archives",  "spark.submit.pyFiles",
    "spark.yarn.dist.jars", "spark.yarn.dist.files", "spark.yarn.jars", "spark.yarn.dist.archives",
    "spark.yarn.archive",   "spark.yarn.jar",
};

bool isCluster(const std::string& master) {
  return !master.empty() && master.rfind("local", 0) != 0;
}

}  // namespace

DefaultFileSystem::DefaultFileSystem(Options options) : options_(std::move(options)) {
  std::string& uri = options_.uri;
  while (!uri.empty() && uri.back() == '/') uri.pop_back();
  if (lowered(uri).rfind("file:", 0) == 0) uri.clear();
}

bool DefaultFileSystem::isFileList(const std::string& key) const {
  const auto isKey = [&](const std::string& pattern) { return matchesKey(pattern, key); };
  return std::any_of(std::begin(fileLists), std::end(fileLists), isKey) ||
         std::any_of(options_.keys.begin(), options_.keys.end(), isKey);
}

void DefaultFileSystem::resolve(Resource resource, const std::string& master,
                                SparkRequest& request) const {
  if (options_.uri.empty()) return;
  const std::string& fallback =
      resource == Resource::session ? options_.sessionMaster : options_.batchMaster;
  if (!isCluster(master.empty() ? fallback : master)) return;
  // An item may be a list itself: Spark takes it apart at its commas.
  const auto list = [this](std::string& text) {
    std::string resolved;
    for (const std::string& item : commaList(text))
      resolved +=
          (resolved.empty() ? "" : ",") + (item.front() == '/' ? options_.uri + item : item);
    text = resolved;
  };
  if (!request.file.empty() && request.file.front() == '/')
    request.file = options_.uri + request.file;
  for (auto* const items : {&request.jars, &request.pyFiles, &request.files, &request.archives})
    for (std::string& item : *items) list(item);
  for (auto& [key, value] : request.conf)
    if (isFileList(key)) list(value);
}

}  // namespace hearth::host
