#include "batch/ApplicationLog.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "process/Fd.h"

namespace hearth::host {

namespace {

constexpr std::int64_t mostBytes = 8 << 20;
constexpr std::size_t pieceBytes = 64 << 10;

// The word after `mark`, made of letters, digits, '_' and '-'; empty where there is none.
std::string wordAfter(const std::string& line, std::string_view mark) {
  const std::size_t at = line.find(mark);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + mark.size();
  std::size_t end = begin;
  while (end < line.size() && (std::isalnum(static_cast<unsigned char>(line[end])) != 0 ||
                               line[end] == '_' || line[end] == '-'))
    ++end;
  return line.substr(begin, end - begin);
}

std::string hostName() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace

bool ApplicationLog::open() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return offset_ < mostBytes && (found_.applicationId.empty() || found_.sparkUiUrl.empty());
}

ApplicationLog::Found ApplicationLog::look() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (offset_ >= mostBytes) return found_;
  if (!found_.applicationId.empty() && !found_.sparkUiUrl.empty()) return found_;
  const Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  std::string piece(pieceBytes, '\0');
  while (file && offset_ < mostBytes) {
    const ssize_t length = ::pread(file.get(), piece.data(), piece.size(), offset_);
    if (length <= 0) break;
    const std::string_view text(piece.data(), static_cast<std::size_t>(length));
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1)
      take(std::string(text.substr(begin, end - begin)));
    // A line of a whole piece is none of those looked for; one that is not finished yet is read
    // again.
    if (begin == 0 && text.size() < pieceBytes) break;
    offset_ += static_cast<std::int64_t>(begin == 0 ? text.size() : begin);
  }
  return found_;
}

void ApplicationLog::take(const std::string& line) {
  if (found_.applicationId.empty())
    for (const char* mark : {"Submitted application application_", "app ID app-",
                             "Driver successfully submitted as driver-"}) {
      const std::string id = wordAfter(line, mark);
      if (id.empty()) continue;
      const std::string_view whole = mark;
      found_.applicationId = std::string(whole.substr(whole.rfind(' ') + 1)) + id;
      break;
    }
  if (!found_.sparkUiUrl.empty()) return;
  const std::string port = wordAfter(line, "Successfully started service 'SparkUI' on port ");
  if (!port.empty()) found_.sparkUiUrl = "http://" + hostName() + ":" + port;
}

}  // namespace hearth::host
