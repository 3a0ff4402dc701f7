#include "policy/LocalPath.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <deque>
#include <filesystem>

namespace hearth::host {

namespace fs = std::filesystem;

namespace {

constexpr int mostLinks = 40;  // as Linux

std::deque<std::string> components(const std::string& path) {
  std::deque<std::string> found;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at && path.compare(at, end - at, ".") != 0)
      found.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

void toParent(std::string& path) {
  path.erase(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
}

void look(std::size_t& looks) {
  if (looks == 0) throw PathError("too many paths to look at in one request");
  --looks;
}

}  // namespace

std::string lexicallyNormal(const std::string& path) {
  std::string normal;
  for (const std::string& name : components(path)) {
    if (name == "..")
      toParent(normal);
    else
      (normal += '/') += name;
  }
  return normal.empty() ? "/" : normal;
}

std::string followed(const std::string& path, std::size_t& looks) {
  std::string at;
  int links = 0;
  for (auto rest = components(path); !rest.empty();) {
    const std::string name = std::move(rest.front());
    rest.pop_front();
    if (name == "..") {
      toParent(at);
      continue;
    }
    look(looks);
    const std::string next = at + '/' + name;
    struct stat found {};
    if (::lstat(next.c_str(), &found) != 0) {
      if (errno != ENOENT && errno != ENOTDIR)
        throw PathError("cannot look at " + next.substr(0, 200) + ": " + std::strerror(errno));
      at = next;
      continue;
    }
    if (!S_ISLNK(found.st_mode)) {
      at = next;
      continue;
    }
    if (++links > mostLinks) throw PathError("too many links");
    char target[PATH_MAX];
    const ssize_t size = ::readlink(next.c_str(), target, sizeof target);
    if (size <= 0 || size == static_cast<ssize_t>(sizeof target))
      throw PathError("cannot read the link " + next.substr(0, 200));
    const std::string aim(target, static_cast<std::size_t>(size));
    if (aim.front() == '/') at.clear();
    auto names = components(aim);
    rest.insert(rest.begin(), names.begin(), names.end());
  }
  return at.empty() ? "/" : at;
}

bool isWithin(const std::string& path, const std::string& folder) {
  if (folder == "/") return true;
  return path.compare(0, folder.size(), folder) == 0 &&
         (path.size() == folder.size() || path[folder.size()] == '/');
}

std::vector<std::string> linksIn(const std::string& folder, std::size_t& looks) {
  std::vector<std::string> links;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    look(looks);
    std::error_code ignored;
    if (entry->is_symlink(ignored)) links.push_back(entry->path().string());
  }
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
    throw PathError("cannot look into " + folder.substr(0, 200) + ": " + error.message());
  return links;
}

}  // namespace hearth::host
