#include "process/LogFile.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string_view>
#include <system_error>
#include <utility>

#include "process/Fd.h"
#include "process/LineSplitter.h"
#include "support/Log.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

constexpr std::int64_t stride = 256;
constexpr std::size_t chunkBytes = 64 * 1024;
constexpr std::size_t headBytes = 64;
constexpr std::size_t maxPageBytes = 64u * 1024 * 1024;

/// As many bytes as there are from `offset`, at most `size`; none on errors, as at the end.
std::size_t readAt(int fd, char* to, std::size_t size, std::int64_t offset) {
  for (;;) {
    const ssize_t got = ::pread(fd, to, size, offset);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return 0;
  }
}

/// Text of a line of which `line` is the beginning, without its end.
std::string textOf(std::string line) {
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.size() > maxLineBytes) line.resize(utf8Prefix(line, maxLineBytes));
  return repairUtf8(std::move(line));
}

}  // namespace

LogFile::LogFile(std::string path) : path_(std::move(path)) {}

LogFile::Page LogFile::read(std::int64_t from, std::int64_t size, std::int64_t limit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Page page;
  const Fd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    startAnew(0, 0);
    return page;
  }
  // What is appended from here on is of the next call.
  const std::int64_t end = status.st_size;
  if (!sameFile(fd.get(), status.st_dev, status.st_ino, end))
    startAnew(status.st_dev, status.st_ino);
  extend(fd.get(), end);
  page.whole = lines_;
  page.total = lines_ + (end > indexed_ ? 1 : 0);

  const bool last = from < 0;
  std::int64_t count = std::min(size < 0 ? page.total : size, std::max<std::int64_t>(limit, 0));
  page.from = last ? std::max<std::int64_t>(page.total - count, 0) : std::min(from, page.total);
  count = std::min(count, page.total - page.from);
  if (count <= 0) return page;

  std::deque<std::string> lines;
  std::size_t bytes = 0;
  std::string line;
  std::int64_t skip = page.from % stride;
  std::int64_t at = offsets_[static_cast<std::size_t>(page.from / stride)];
  const auto take = [&] {
    lines.push_back(textOf(std::exchange(line, {})));
    bytes += lines.back().size();
    --count;
    while (last && bytes > maxPageBytes) {
      bytes -= lines.front().size();
      lines.pop_front();
      ++page.from;
    }
  };
  std::array<char, chunkBytes> chunk;
  while (count > 0 && bytes <= maxPageBytes) {
    const std::size_t got =
        readAt(fd.get(), chunk.data(),
               static_cast<std::size_t>(std::min<std::int64_t>(chunk.size(), end - at)), at);
    if (got == 0) {
      if (skip == 0 && !line.empty()) take();
      break;
    }
    at += static_cast<std::int64_t>(got);
    std::string_view rest(chunk.data(), got);
    while (!rest.empty() && count > 0 && bytes <= maxPageBytes) {
      const std::size_t stop = rest.find('\n');
      // Of a line that is too long, enough is kept to see where to cut it.
      if (skip == 0) {
        const std::string_view part = rest.substr(0, stop);
        line.append(part.substr(0, maxLineBytes + 2 - std::min(line.size(), maxLineBytes + 2)));
      }
      if (stop == std::string_view::npos) break;
      rest.remove_prefix(stop + 1);
      if (skip > 0)
        --skip;
      else
        take();
    }
  }
  page.lines.assign(std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
  return page;
}

void LogFile::append(const std::string& line) {
  std::string text = line;
  std::replace(text.begin(), text.end(), '\n', ' ');
  text += '\n';
  const Fd fd(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  // One write at the end of the file: nothing of others can come between its bytes.
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    log().warn("cannot append to {}: {}", path_, std::system_category().message(errno));
}

void LogFile::extend(int fd, std::int64_t size) {
  std::array<char, chunkBytes> chunk;
  if (head_.size() < headBytes && size > static_cast<std::int64_t>(head_.size())) {
    head_.resize(headBytes);
    head_.resize(readAt(fd, head_.data(),
                        static_cast<std::size_t>(std::min<std::int64_t>(headBytes, size)), 0));
  }
  while (scanned_ < size) {
    const std::size_t got = readAt(
        fd, chunk.data(),
        static_cast<std::size_t>(std::min<std::int64_t>(chunk.size(), size - scanned_)), scanned_);
    if (got == 0) return;
    const char* at = chunk.data();
    const char* const end = at + got;
    while ((at = static_cast<const char*>(
                std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) != nullptr) {
      ++at;
      ++lines_;
      indexed_ = scanned_ + (at - chunk.data());
      if (lines_ % stride == 0) offsets_.push_back(indexed_);
      if (at == end) break;
    }
    scanned_ += static_cast<std::int64_t>(got);
  }
}

bool LogFile::sameFile(int fd, std::uint64_t device, std::uint64_t inode, std::int64_t size) const {
  if (offsets_.empty() || device != device_ || inode != inode_ || size < scanned_) return false;
  // Truncated and grown beyond what was indexed: the index's marks are gone.
  std::array<char, headBytes> bytes;
  if (readAt(fd, bytes.data(), head_.size(), 0) != head_.size() ||
      std::memcmp(bytes.data(), head_.data(), head_.size()) != 0)
    return false;
  return indexed_ == 0 || (readAt(fd, bytes.data(), 1, indexed_ - 1) == 1 && bytes[0] == '\n');
}

void LogFile::startAnew(std::uint64_t device, std::uint64_t inode) {
  device_ = device;
  inode_ = inode;
  head_.clear();
  lines_ = indexed_ = scanned_ = 0;
  offsets_.assign(1, 0);
}

}  // namespace hearth::host
