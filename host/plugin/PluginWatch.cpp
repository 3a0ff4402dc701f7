#include "plugin/PluginWatch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <system_error>
#include <utility>

#include "support/Log.h"

namespace hearth::host {
namespace {

namespace fs = std::filesystem;

constexpr int mostRounds = 100;

constexpr unsigned comingAndGoing = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;
constexpr unsigned ofItself = IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr unsigned everything = comingAndGoing | ofItself | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB;

/// Whether somebody is about to write what has just been made. A link stands for a file that is
/// there already.
bool isToBeWritten(const fs::path& file) {
  struct stat info {};
  return ::lstat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1;
}

bool isOurs(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && name.front() != '.' &&
         (path.extension() == ".so" || path.extension() == ".json");
}

}  // namespace

PluginWatch::PluginWatch(EventLoop& loop, std::function<void()> changed)
    : changed_(std::move(changed)), descriptor_(loop.context()) {
  const int made = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (made < 0)
    log().warn("the plugins' folders cannot be watched: {}; SIGHUP has them looked at",
               std::strerror(errno));
  else
    descriptor_.assign(made);
}

void PluginWatch::start() {
  started_ = true;
  if (descriptor_.is_open()) read();
  tell();
  if (descriptor_.is_open()) wait();
}

void PluginWatch::tell() {
  due_ = false;
  changed_();
}

bool PluginWatch::isUnfinished(const fs::path& file) {
  if (descriptor_.is_open() && read() && started_ && !std::exchange(due_, true))
    boost::asio::post(descriptor_.get_executor(), [this] {
      if (due_) tell();
    });
  return unfinished_.count(file) != 0;
}

void PluginWatch::wait() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error) return;
                           if (read()) tell();
                           wait();
                         });
}

/// All that is there to be read; whether any of it is a reason to look.
bool PluginWatch::read() {
  bool look = false;
  alignas(inotify_event) std::array<char, 16 * 1024> bytes;
  for (;;) {
    const ssize_t got = ::read(descriptor_.native_handle(), bytes.data(), bytes.size());
    if (got <= 0) return look;
    for (const char* at = bytes.data(); at < bytes.data() + got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        unfinished_.clear();
        look = true;
        continue;
      }
      const auto place = places_.find(event->wd);
      if (place == places_.end()) continue;
      if (concerns(place->second, event->mask, event->len == 0 ? std::string() : event->name))
        look = true;
      if ((event->mask & IN_IGNORED) != 0) places_.erase(place);
    }
  }
}

bool PluginWatch::concerns(const Place& place, unsigned mask, const std::string& name) {
  if (!place.whole)
    return (mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0 || place.names.count(name) != 0;
  const fs::path file = place.path / name;
  const bool isFolder = (mask & IN_ISDIR) != 0;
  if ((mask & IN_MODIFY) != 0 || ((mask & IN_CREATE) != 0 && !isFolder && isToBeWritten(file))) {
    if (isOurs(name)) unfinished_.insert(file);
    return false;
  }
  if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) != 0)
    unfinished_.erase(file);
  return (mask & IN_IGNORED) == 0;
}

/// `folder` and the way to it: where it is replaced or not there, the nearest folder above it
/// tells.
void PluginWatch::wants(std::map<fs::path, Place>& places, const fs::path& folder) const {
  const auto add = [&](const fs::path& path) -> Place* {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    if (error || !fs::is_directory(real, error)) return nullptr;
    Place& place = places[real];
    if (place.path.empty()) place.path = path;
    return &place;
  };
  Place* const own = add(folder);
  if (own != nullptr) {
    own->whole = true;
    own->path = folder;
  }
  for (fs::path below = folder; below.has_relative_path(); below = below.parent_path())
    if (Place* const place = add(below.parent_path())) {
      place->names.insert(below.filename().string());
      return;
    }
}

std::map<fs::path, PluginWatch::Place> PluginWatch::wanted(const fs::path& nested,
                                                           std::set<fs::path> folders) const {
  std::error_code error;
  if (!nested.empty()) {
    folders.insert(nested);
    for (fs::directory_iterator it(nested, error), end; !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (it->path().filename().native().front() != '.' && it->is_directory(ignored))
        folders.insert(it->path());
    }
  }
  std::map<fs::path, Place> places;
  for (const auto& folder : folders)
    if (!folder.empty()) wants(places, (folder / "").parent_path());
  return places;
}

void PluginWatch::cover(const fs::path& nested, const std::set<fs::path>& folders) {
  if (!descriptor_.is_open()) return;
  // Once more where a folder was made before what is above it was watched: nobody tells of it.
  auto places = wanted(nested, folders);
  for (int round = 0; round < mostRounds; ++round) {
    watch(places);
    auto now = wanted(nested, folders);
    const bool all = std::equal(now.begin(), now.end(), places.begin(), places.end(),
                                [](const auto& a, const auto& b) {
                                  return a.first == b.first && a.second.whole == b.second.whole &&
                                         a.second.names == b.second.names;
                                });
    if (all) break;
    places = std::move(now);
  }
  std::error_code error;
  for (auto file = unfinished_.begin(); file != unfinished_.end();)
    file = fs::exists(*file, error) ? std::next(file) : unfinished_.erase(file);
}

void PluginWatch::watch(const std::map<fs::path, Place>& places) {
  std::map<int, Place> covered;
  for (const auto& [real, place] : places) {
    const int number = ::inotify_add_watch(descriptor_.native_handle(), real.c_str(),
                                           place.whole ? everything : comingAndGoing | ofItself);
    if (number >= 0)
      covered[number] = place;
    else if (errno != ENOENT && complained_.insert(real.string()).second)
      log().warn("{} cannot be watched: {}; SIGHUP has it looked at", real.string(),
                 std::strerror(errno));
  }
  for (const auto& old : places_)
    if (covered.count(old.first) == 0) ::inotify_rm_watch(descriptor_.native_handle(), old.first);
  places_ = std::move(covered);
}

}  // namespace hearth::host
