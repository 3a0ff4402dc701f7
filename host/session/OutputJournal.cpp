#include "session/OutputJournal.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "support/Log.h"

namespace hearth::host {

namespace {

// Of this machine, for this machine: its own byte order.
struct Header {
  std::uint64_t frame;
  std::uint64_t index;
  std::uint32_t length;
  std::uint32_t kind;
};

bool writeAll(int file, std::array<iovec, 2> parts) {
  std::size_t at = 0;
  while (at < parts.size()) {
    if (parts[at].iov_len == 0) {
      ++at;
      continue;
    }
    const ssize_t size = ::writev(file, &parts[at], static_cast<int>(parts.size() - at));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    auto left = static_cast<std::size_t>(size);
    for (; at < parts.size() && left >= parts[at].iov_len; ++at) left -= parts[at].iov_len;
    if (at == parts.size()) break;
    parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + left;
    parts[at].iov_len -= left;
  }
  return true;
}

}  // namespace

void OutputJournal::replay(const std::function<void(Record)>& each) {
  std::ifstream file(path_, std::ios::binary);
  if (!file) return;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path_, error);
  std::uintmax_t whole = 0;
  Header header{};
  while (!error && file.read(reinterpret_cast<char*>(&header), sizeof header)) {
    if (header.kind < 1 || header.kind > 4 || whole + sizeof header + header.length > size) break;
    Record record{header.frame, static_cast<Kind>(header.kind), header.index,
                  std::string(header.length, '\0')};
    if (!file.read(record.text.data(), header.length)) break;
    whole += sizeof header + header.length;
    each(std::move(record));
  }
  if (whole < size) std::filesystem::resize_file(path_, whole, error);
}

bool OutputJournal::open() {
  if (file_) return true;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  file_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  return static_cast<bool>(file_);
}

bool OutputJournal::add(std::uint64_t frame, Kind kind, std::uint64_t index,
                        std::string_view text) {
  if (broken_) return false;
  Header header{frame, index, static_cast<std::uint32_t>(text.size()),
                static_cast<std::uint32_t>(kind)};
  if (open() && writeAll(file_.get(), {iovec{&header, sizeof header},
                                       iovec{const_cast<char*>(text.data()), text.size()}}))
    return true;
  broken_ = true;
  log().error("{}: {}: what the statement prints would not survive the host's end", path_,
              std::strerror(errno));
  return false;
}

void OutputJournal::remove() {
  file_ = Fd();
  ::unlink(path_.c_str());
}

}  // namespace hearth::host
