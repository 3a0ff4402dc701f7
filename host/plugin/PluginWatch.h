// Tells when something has happened to the files of plugins and manifests.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "support/EventLoop.h"

namespace hearth::host {

/// inotify in an event loop. Before start() for one thread, from then on for the loop's only one.
class PluginWatch {
 public:
  /// Calls `changed` whenever there is reason to look at the folders again: a file there was moved,
  /// closed after writing, removed or given other rights, or nobody can tell what has happened. It
  /// may take its time: what happens meanwhile is told once, afterwards.
  PluginWatch(EventLoop& loop, std::function<void()> changed);
  PluginWatch(const PluginWatch&) = delete;
  PluginWatch& operator=(const PluginWatch&) = delete;

  /// Calls `changed` for what has happened since the first cover(), if anything, and from then on.
  void start();
  /// From now on these: `nested` with the folders in it, and `folders`. Of one that is not there,
  /// the making. To be called before the folders are looked at, so that nothing falls in between.
  void cover(const std::filesystem::path& nested, const std::set<std::filesystem::path>& folders);
  /// Whether a file was made or written to and has not been closed since: as of now, so that what a
  /// look finds in a folder is never older than what is known of it.
  bool isUnfinished(const std::filesystem::path& file);
  /// For who wants all files to be looked at, whatever is known of them.
  void forgetUnfinished() { unfinished_.clear(); }

 private:
  struct Place {
    std::filesystem::path path;
    bool whole = false;           // else only the making of `names` counts
    std::set<std::string> names;  // of folders that are looked for
  };

  void wait();
  void tell();
  bool read();
  bool concerns(const Place& place, unsigned mask, const std::string& name);
  void watch(const std::map<std::filesystem::path, Place>& places);
  std::map<std::filesystem::path, Place> wanted(const std::filesystem::path& nested,
                                                std::set<std::filesystem::path> folders) const;
  void wants(std::map<std::filesystem::path, Place>& places,
             const std::filesystem::path& folder) const;

  std::function<void()> changed_;
  boost::asio::posix::stream_descriptor descriptor_;
  std::map<int, Place> places_;  // by inotify's number
  std::set<std::filesystem::path> unfinished_;
  bool started_ = false;
  bool due_ = false;  // something has happened in the middle of a look, which is told after it
  std::set<std::string> complained_;  // once each
};

}  // namespace hearth::host
