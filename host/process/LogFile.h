// A session's log on disk, read by lines.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace hearth::host {

/// Pages through a growing text file by line numbers without holding it in memory: keeps the offset
/// of every 256th line, extended when asked. Lines longer than 64 KiB are cut in what is returned.
/// A file that does not exist has no lines. Bytes that are not UTF-8 come back as U+FFFD, and other
/// processes may append at any time. Thread-safe.
class LogFile {
 public:
  explicit LogFile(std::string path);

  struct Page {
    std::int64_t from = 0;   ///< number of the first line returned (from 0)
    std::int64_t total = 0;  ///< lines in the file now; an unfinished last line counts
    std::int64_t whole = 0;  ///< without an unfinished last line
    std::vector<std::string> lines;
  };
  /// `from` < 0: the last `size` lines; `size` < 0: all there are, at most `limit` lines. A page
  /// ends early (one of the last lines: begins late) at 64 MiB of text.
  Page read(std::int64_t from, std::int64_t size, std::int64_t limit = 100000);
  /// Appends one line of the host's own; lines of concurrent callers do not mix. Line ends within
  /// it become spaces. A disk that refuses is logged, not thrown: a session must not fail for a
  /// remark.
  void append(const std::string& line);
  const std::string& path() const { return path_; }

 private:
  void extend(int fd, std::int64_t size);
  bool sameFile(int fd, std::uint64_t device, std::uint64_t inode, std::int64_t size) const;
  void startAnew(std::uint64_t device, std::uint64_t inode);

  std::string path_;
  std::mutex mutex_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::string head_;          ///< first bytes as indexed, to tell a file written anew
  std::int64_t lines_ = 0;    ///< whole lines indexed
  std::int64_t indexed_ = 0;  ///< bytes of those
  std::int64_t scanned_ = 0;  ///< bytes looked through; there is no line end from indexed_ on
  std::vector<std::int64_t> offsets_;  ///< of lines 0, 256, 512, ...
};

}  // namespace hearth::host
