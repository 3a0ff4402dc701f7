#include "batch/Supervisor.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "support/FileContent.h"

namespace hearth::host {

namespace {

constexpr const char* givenUp = "host";

std::string nameOf(int attempt, const char* what) {
  return std::to_string(attempt) + "." + what;
}

}  // namespace

std::string ApplicationEnd::text() const {
  if (!failure.empty()) return failure;
  if (signal != 0) {
    const char* name = ::sigabbrev_np(signal);
    return "ended by " +
           (name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal));
  }
  return "exit status " + std::to_string(status);
}

int SupervisedFolder::attempt() const {
  int number = 1;
  while (fileContent(folder_ + "/" + nameOf(number, "process")) == givenUp) ++number;
  return number;
}

std::string SupervisedFolder::path(const char* what) const {
  return folder_ + "/" + nameOf(attempt(), what);
}

std::vector<std::string> SupervisedFolder::command(const std::string& program,
                                                   std::int64_t graceMillis,
                                                   const std::vector<std::string>& command) const {
  std::vector<std::string> all = {program, folder_, std::to_string(attempt()),
                                  std::to_string(graceMillis)};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

std::optional<ProcessIdentity> SupervisedFolder::claimed() {
  const std::string file = path("process");
  // By a link, as the supervisor does: the name appears with its content, and for one of the two.
  const std::string draft = file + ".host";
  {
    std::ofstream stream(draft, std::ios::binary | std::ios::trunc);
    stream << givenUp;
    if (!stream.flush())
      throw std::system_error(errno, std::system_category(), "cannot write " + draft);
  }
  const int result = ::link(draft.c_str(), file.c_str());
  const int why = errno;
  ::unlink(draft.c_str());
  if (result == 0) return std::nullopt;
  if (why != EEXIST) throw std::system_error(why, std::system_category(), "cannot write " + file);
  std::istringstream words(fileContent(file));
  ProcessIdentity identity;
  words >> identity.pid >> identity.startTime >> identity.bootId;
  return identity;
}

std::optional<ApplicationEnd> SupervisedFolder::end() const {
  const std::string text = fileContent(path("end"));
  std::istringstream words(text);
  std::string how;
  if (!(words >> how)) return std::nullopt;
  ApplicationEnd end;
  if (how == "failed") {
    end.failure = text.substr(std::min(text.size(), how.size() + 1));
    return end;
  }
  int number = -1;
  words >> number >> end.millis;
  (how == "signal" ? end.signal : end.status) = number;
  return end;
}

}  // namespace hearth::host
