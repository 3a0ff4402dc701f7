#include "Guard.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace hearth::jupyter {

namespace {

// $1 lock file, $2 seconds, $3 the guard's PATH, then the kernel's command. The inner shell is
// nobody's child once the one around it has ended: code in the kernel that waits for its children
// does not meet it. It reads the clock only while there is no host. The lock is let go of each
// time, as the host must find it free; held, it keeps the host from coming back between the last
// look and the end.
constexpr const char* script = R"(lock=$1 time=$2 path=$3
shift 3
( (
  PATH=$path
  trap '' HUP INT QUIT TERM
  exec </dev/null >/dev/null 2>&1
  {
    while flock 9; do
      left=$time
      while flock -u 9 && [ "$left" -gt 0 ] && [ -e "$lock" ] && kill -0 $$; do
        sleep 1
        left=$((left - 1))
        flock -n 9 || continue 2
      done
      flock -n 9 && kill -KILL 0
    done
    exit
  } 9<"$lock"
  kill -KILL 0
) & )
exec "$@"
)";

bool isProgram(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> inPath(const std::string& name, const std::string& path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = path.substr(begin, end - begin);
    begin = end + 1;
    if (folder.empty() || folder[0] != '/') continue;  // as the host has it
    const std::string candidate = folder + "/" + name;
    if (isProgram(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> guarded(const std::vector<std::string>& command,
                                 const std::string& lockFile, std::uint32_t seconds,
                                 const std::string& path) {
  std::vector<std::string> words{
      "/bin/sh", "-c", script, "hearth-kernel", lockFile, std::to_string(seconds), path};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

bool canGuard(const std::string& path) {
  return isProgram("/bin/sh") && inPath("flock", path) && inPath("sleep", path);
}

std::string findProgram(const std::string& name, const std::string& path,
                        const std::string& folder) {
  const bool isPath = name.find('/') != std::string::npos;
  const auto found =
      isPath ? std::make_optional(name[0] == '/' ? name : folder + "/" + name) : inPath(name, path);
  if (!found)
    throw std::runtime_error("cannot start '" + name + "': not found in PATH (" + path + ")");
  if (!isProgram(*found)) {
    const bool there = ::access(found->c_str(), F_OK) == 0;
    throw std::runtime_error("cannot start '" + name +
                             "': " + (there ? "it is not executable" : "there is no such file"));
  }
  return *found;
}

}  // namespace hearth::jupyter
