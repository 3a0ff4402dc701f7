#include "submit/PrivateFile.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hearth::submit {

void writePrivateFile(const std::string& path, std::string_view text) {
  ::unlink(path.c_str());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  std::size_t written = 0;
  while (file >= 0 && written < text.size()) {
    const ssize_t count = ::write(file, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    written += static_cast<std::size_t>(count);
  }
  const int why = errno;
  if (file >= 0) ::close(file);
  if (file < 0 || written < text.size())
    throw std::system_error(why, std::system_category(), "cannot write " + path);
}

}  // namespace hearth::submit
