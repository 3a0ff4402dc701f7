// What has happened in a session, for those who follow it live.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace hearth::host {

/// Changes of the session and of its statements, numbered from 1; the last few hundred are kept.
/// Readers hold positions of their own and ask for what comes next; nobody waits in a thread.
/// Thread-safe.
class SessionJournal {
 public:
  static constexpr std::size_t kept = 256;

  struct Entry {
    std::uint64_t number;
    const char* name;  ///< static text
    std::string json;
  };

  void add(const char* name, std::string json);
  /// Something else that readers show has changed: the log.
  void touch();
  /// Nothing follows any more.
  void close();

  /// The first entry kept behind number `had`; nothing where all was had.
  std::optional<Entry> next(std::uint64_t had) const;
  /// Number of the last entry; 0 without one.
  std::uint64_t last() const;

  std::uint64_t version() const;  ///< number of changes so far
  bool closed() const;
  /// Calls `wake` once, at the next change after `seen`, on the thread that makes it; at once and
  /// on this one where there was one already. Must not block.
  void wait(std::uint64_t seen, std::function<void()> wake);

 private:
  void changed(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::uint64_t last_ = 0;
  std::uint64_t version_ = 0;
  bool closed_ = false;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace hearth::host
