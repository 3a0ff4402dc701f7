// Boost.Process was left out on purpose: it forks (slow for a large host, and between fork and exec
// its initialisers run allocating code, which a threaded process must not do), leaks descriptors,
// and cannot set the signal mask. posix_spawn of glibc 2.34 and later has all that is needed: a new
// session, a working directory, default signals, every descriptor above 2 closed, and the errno of
// an exec that failed.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "process/ChildProcess.h"
#include "process/Fd.h"
#include "process/Process.h"
#include "support/FaultPoint.h"

namespace hearth::host {

namespace {

constexpr std::string_view baseNames[] = {"PATH", "HOME", "USER",      "LOGNAME",
                                          "LANG", "TZ",   "JAVA_HOME", "TMPDIR"};
constexpr char defaultPath[] = "/usr/local/bin:/usr/bin:/bin";

std::string reasonOf(int error) {
  return std::system_category().message(error);
}

[[noreturn]] void fail(const std::string& program, const std::string& reason) {
  throw SpawnError("cannot start '" + program + "': " + reason);
}

using Environment = std::map<std::string, std::string>;

Environment environmentOf(const SpawnRequest& request, const std::vector<std::string>& passOn) {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    if (name.substr(0, 3) == "LC_" ||
        std::find(std::begin(baseNames), std::end(baseNames), name) != std::end(baseNames) ||
        std::find(passOn.begin(), passOn.end(), name) != passOn.end())
      environment.emplace(name, text.substr(equals + 1));
  }
  environment.emplace("PATH", defaultPath);
  for (const std::string& entry : request.env) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0)
      fail(request.argv[0], "'" + entry.substr(0, equals) + "' is no NAME=value");
    environment[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return environment;
}

void checkText(const SpawnRequest& request) {
  if (request.argv.empty() || request.argv[0].empty()) throw SpawnError("no program was named");
  const auto whole = [](const std::string& text) { return text.find('\0') == std::string::npos; };
  if (!std::all_of(request.argv.begin(), request.argv.end(), whole) ||
      !std::all_of(request.env.begin(), request.env.end(), whole) || !whole(request.cwd))
    fail(request.argv[0].c_str(), "an argument, variable or folder has a NUL byte in it");
}

bool isFile(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::string findProgram(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return name;
  bool seen = false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = path.substr(begin, end - begin);
    begin = end + 1;
    // Relative entries would depend on where the host was started.
    if (folder.empty() || folder[0] != '/') continue;
    const std::string candidate = folder + "/" + name;
    if (!isFile(candidate)) continue;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    seen = true;
  }
  fail(name, seen ? "what was found in PATH is not executable (" + path + ")"
                  : "not found in PATH (" + path + ")");
}

/// Why the start failed: an errno alone does not say whether it was of the folder or the program.
std::string explain(int error, const SpawnRequest& request, const std::string& program) {
  if (!request.cwd.empty()) {
    struct stat status {};
    if (::stat(request.cwd.c_str(), &status) != 0)
      return "working directory " + request.cwd + ": " + reasonOf(errno);
    if (!S_ISDIR(status.st_mode)) return "working directory " + request.cwd + " is no directory";
    if (::access(request.cwd.c_str(), X_OK) != 0)
      return "working directory " + request.cwd + ": " + reasonOf(errno);
  }
  const std::string path =
      program[0] == '/' || request.cwd.empty() ? program : request.cwd + "/" + program;
  if (error == ENOENT && isFile(path)) return "the interpreter that it names does not exist";
  if (error == ENOEXEC) return "it is no program of this system, nor a script with a #! line";
  if (error == EACCES && isFile(path)) return "it is not executable (" + reasonOf(error) + ")";
  return reasonOf(error);
}

/// Keeps a descriptor clear of 0 to 2, which the child's own are put on.
Fd above2(Fd fd, const std::string& program) {
  if (fd.get() > 2) return fd;
  Fd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!moved) fail(program, reasonOf(errno));
  return moved;
}

struct Pipe {
  Fd read;
  Fd write;
};

Pipe makePipe(const std::string& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail(program, "no pipe: " + reasonOf(errno));
  Fd read(ends[0]);
  Fd write(ends[1]);
  return {above2(std::move(read), program), above2(std::move(write), program)};
}

Fd openFile(const std::string& path, int flags, const std::string& program) {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fd) fail(program, "cannot open " + path + ": " + reasonOf(errno));
  return above2(std::move(fd), program);
}

/// The arguments of posix_spawn that need freeing.
class SpawnSetup {
 public:
  SpawnSetup() {
    check(::posix_spawn_file_actions_init(&actions_));
    check(::posix_spawnattr_init(&attributes_));
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    // Not sigfillset(), which leaves out glibc's own two signals: those would stay ignored.
    std::memset(&all, 0xFF, sizeof all);
    check(::posix_spawnattr_setsigmask(&attributes_, &none));
    check(::posix_spawnattr_setsigdefault(&attributes_, &all));
    check(::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  void put(const Fd& fd, int as) {
    check(::posix_spawn_file_actions_adddup2(&actions_, fd.get(), as));
  }
  void moveTo(const std::string& cwd) {
    check(::posix_spawn_file_actions_addchdir_np(&actions_, cwd.c_str()));
  }
  void closeRest() { check(::posix_spawn_file_actions_addclosefrom_np(&actions_, 3)); }

  int run(pid_t& pid, const std::string& program, char* const* argv, char* const* envp) const {
    return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv, envp);
  }

 private:
  static void check(int error) {
    if (error != 0) throw SpawnError("cannot start a process: " + reasonOf(error));
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The Process in the hands of whoever asked for it.
class HeldProcess final : public Process {
 public:
  explicit HeldProcess(std::shared_ptr<ChildProcess> child) : child_(std::move(child)) {}
  ~HeldProcess() override { child_->forget(); }

  pid_t pid() const override { return child_->pid(); }
  bool write(std::string bytes) override { return child_->write(std::move(bytes)); }
  bool signal(int signo) override { return child_->signal(signo); }

 private:
  const std::shared_ptr<ChildProcess> child_;
};

void ignoreSigpipe() {
  struct sigaction action {};
  if (::sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL)
    ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

Launcher::Launcher(EventLoop& loop) : Launcher(loop, {}) {}

Launcher::Launcher(EventLoop& loop, std::vector<std::string> passOn)
    : loop_(loop), passOn_(std::move(passOn)) {
  ignoreSigpipe();
}

std::shared_ptr<Process> Launcher::spawn(const SpawnRequest& request, EventLoop::Strand strand,
                                         Process::Events events) {
  checkText(request);
  const std::string& name = request.argv[0];
  const Environment environment = environmentOf(request, passOn_);
  const std::string program = findProgram(name, environment.at("PATH"));

  SpawnSetup setup;
  ChildProcess::Pipes ours;
  Fd in, out, err;  // the child's
  if (request.lines) {
    Pipe input = makePipe(name), output = makePipe(name), errors = makePipe(name);
    ours = {std::move(input.write), std::move(output.read), std::move(errors.read)};
    in = std::move(input.read);
    out = std::move(output.write);
    err = std::move(errors.write);
  } else {
    in = openFile("/dev/null", O_RDONLY, name);
    out = request.logFile.empty() ? openFile("/dev/null", O_WRONLY, name)
                                  : openFile(request.logFile, O_WRONLY | O_APPEND | O_CREAT, name);
  }
  setup.put(in, 0);
  setup.put(out, 1);
  setup.put(err ? err : out, 2);
  if (!request.cwd.empty()) setup.moveTo(request.cwd);
  setup.closeRest();

  std::vector<std::string> argumentTexts = request.argv;
  std::vector<std::string> variableTexts;
  for (const auto& [key, value] : environment) variableTexts.push_back(key + "=" + value);
  const std::vector<char*> arguments = pointersTo(argumentTexts);
  const std::vector<char*> variables = pointersTo(variableTexts);
  if (faultPoint("spawn.before") == Fault::error) fail(name, reasonOf(EAGAIN));
  pid_t pid = -1;
  const int error = setup.run(pid, program, arguments.data(), variables.data());
  if (error != 0) fail(name, explain(error, request, program));

  // Nobody else reaps, so the pid is still this child's, running or not.
  // glibc 2.36 declares pidfd_open() without C linkage, hence the bare call.
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int why = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    fail(name, "no pidfd: " + reasonOf(why));
  }
  auto child = std::make_shared<ChildProcess>(loop_, pid, std::move(pidfd), std::move(ours),
                                              std::move(strand), std::move(events));
  child->start();
  faultPoint("spawn.after");
  return std::make_shared<HeldProcess>(std::move(child));
}

}  // namespace hearth::host
