// hearth-supervise: stands between the host and one batch's application, so that the application
// goes on when the host is gone and its end is known when the host is back.
//
//   hearth-supervise FOLDER ATTEMPT GRACE_MS PROGRAM ARGUMENT...
//
// Claims FOLDER/ATTEMPT.process ("pid start-time boot-id"): who finds it taken starts nothing. Runs
// the program in a process group of its own, waits for its end, ends what is left of the group, and
// writes FOLDER/ATTEMPT.end ("exit|signal NUMBER MILLISECONDS" or "failed REASON"). SIGTERM ends
// the application: SIGTERM to its group, after the grace SIGKILL. The application does not outlive
// the supervisor.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "support/FaultPoint.h"

using hearth::host::faultPoint;

namespace {

constexpr int badUsage = 2;
constexpr int taken = 3;
constexpr int notWritten = 4;

std::int64_t milliseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

std::string readText(const char* path) {
  char text[4096];
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t length = file < 0 ? -1 : ::read(file, text, sizeof text);
  if (file >= 0) ::close(file);
  return length < 0 ? std::string() : std::string(text, static_cast<std::size_t>(length));
}

// Field 22 of /proc/self/stat; the name before it may have blanks and brackets.
std::string startTime() {
  const std::string stat = readText("/proc/self/stat");
  std::size_t at = stat.rfind(')');
  for (int field = 2; at != std::string::npos && field < 22; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return "0";
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

bool flush(const std::string& folder) {
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool done = ::fsync(directory) == 0;
  ::close(directory);
  return done;
}

// A file is there whole or not at all, whatever happens meanwhile. False, with errno, otherwise.
bool writeWhole(const std::string& folder, const std::string& name, const std::string& text,
                bool onlyIfAbsent) {
  const std::string path = folder + "/" + name;
  const std::string draft = path + "." + std::to_string(::getpid());
  const int file =
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return false;
  bool done = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              ::fsync(file) == 0;
  ::close(file);
  if (done && onlyIfAbsent) done = ::link(draft.c_str(), path.c_str()) == 0;
  if (done && !onlyIfAbsent) return ::rename(draft.c_str(), path.c_str()) == 0 && flush(folder);
  const int why = errno;
  ::unlink(draft.c_str());
  errno = why;
  return done && flush(folder);
}

// Of the child only: the supervisor's own signals are blocked, and read from a descriptor.
[[noreturn]] void become(char** command, const sigset_t& signals, pid_t supervisor, int report) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == supervisor) {
    ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    ::execvp(command[0], command);
  }
  const int why = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(report, &why, sizeof why);
  ::_exit(127);
}

struct Grace {
  std::int64_t time;
  std::int64_t over = 0;  // 0: nobody has asked for the end
  bool killed = false;
};

void readSignals(int source, pid_t child, Grace& grace) {
  signalfd_siginfo info{};
  while (::read(source, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGCHLD || grace.over != 0) continue;
    grace.over = milliseconds(CLOCK_MONOTONIC) + grace.time;
    ::kill(-child, SIGTERM);
  }
}

// Returns once the child has ended, which is then still a zombie: its group's number is its own.
siginfo_t waitForEnd(int source, pid_t child, Grace grace) {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == child)
      return info;
    int rest = -1;
    if (grace.over != 0 && !grace.killed) {
      const std::int64_t left = grace.over - milliseconds(CLOCK_MONOTONIC);
      if (left <= 0) {
        ::kill(-child, SIGKILL);
        grace.killed = true;
        continue;
      }
      rest = static_cast<int>(left < 3600000 ? left : 3600000);
    }
    pollfd waited{source, POLLIN, 0};
    ::poll(&waited, 1, rest);
    readSignals(source, child, grace);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "usage: hearth-supervise FOLDER ATTEMPT GRACE_MS PROGRAM ARGUMENT...\n");
    return badUsage;
  }
  const std::string folder = arguments[1];
  const std::string attempt = arguments[2];
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signo : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&signals, signo);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int source = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);

  const std::string claim = std::to_string(::getpid()) + " " + startTime() + " " +
                            readText("/proc/sys/kernel/random/boot_id");
  faultPoint("supervise.claim.before");
  if (source < 0 || !writeWhole(folder, attempt + ".process", claim, true)) {
    if (errno == EEXIST) return taken;
    std::fprintf(stderr, "hearth-supervise: %s: %s\n", folder.c_str(), std::strerror(errno));
    return notWritten;
  }

  faultPoint("supervise.claim.after");

  std::string end;
  int report[2];
  const pid_t supervisor = ::getpid();
  const pid_t child = ::pipe2(report, O_CLOEXEC) != 0 ? -1 : ::fork();
  if (child == 0) become(arguments + 4, signals, supervisor, report[1]);
  if (child < 0) {
    end = std::string("failed no process: ") + std::strerror(errno);
  } else {
    ::setpgid(child, child);  // here too: whoever is first
    ::close(report[1]);
    faultPoint("supervise.start.after");
    const siginfo_t info = waitForEnd(source, child, Grace{std::atoll(arguments[3])});
    ::kill(-child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    int why = 0;
    if (::read(report[0], &why, sizeof why) == static_cast<ssize_t>(sizeof why))
      end = std::string("failed cannot start '") + arguments[4] + "': " + std::strerror(why);
    else
      end = std::string(info.si_code == CLD_EXITED ? "exit " : "signal ") +
            std::to_string(info.si_status) + " " + std::to_string(milliseconds(CLOCK_REALTIME));
  }
  faultPoint("supervise.end.before");
  if (!writeWhole(folder, attempt + ".end", end, false)) {
    std::fprintf(stderr, "hearth-supervise: %s: %s\n", folder.c_str(), std::strerror(errno));
    return notWritten;
  }
  faultPoint("supervise.end.after");
  return 0;
}
