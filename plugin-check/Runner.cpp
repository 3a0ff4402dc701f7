#include "Runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "Border.h"
#include "Residue.h"
#include "Verdict.h"
#include "support/FileContent.h"

namespace hearth::check {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t whereSize = 64;
constexpr std::size_t mostOutput = 600;

volatile sig_atomic_t asked = 0;

/// The last bytes of what the check's process has printed.
std::string lastOf(const fs::path& file) {
  std::string text = host::fileContent(file);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.size() <= mostOutput ? text : "..." + text.substr(text.size() - mostOutput);
}

std::string whereOf(const fs::path& file) {
  const std::string text = host::fileContent(file);
  const std::string slot = text.c_str();
  return slot.empty() ? std::string() : " in " + slot;
}

/// Temporary files and relative paths of a plugin go into folders that can be looked at.
Context prepare(const Options& options, const Subject& subject, const fs::path& scratch) {
  for (const char* folder : {"tmp", "cwd"}) fs::create_directories(scratch / folder);
  ::setenv("TMPDIR", (scratch / "tmp").c_str(), 1);
  fs::current_path(scratch / "cwd");
  return {subject, options.leader, options.launches, !options.inProcess, scratch};
}

[[noreturn]] void become(const std::vector<std::string>& words, const fs::path& output) {
  const int null = ::open("/dev/null", O_RDONLY);
  const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(null, 0);
  ::dup2(file, 1);
  ::dup2(file, 2);
  ::close_range(3, ~0U, 0);
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

/// Waits for its end, `time` at most or until this process is asked to end. False where it was not
/// reached.
bool waitFor(pid_t child, std::chrono::milliseconds time) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  const auto until = std::chrono::steady_clock::now() + time;
  bool over = false;
  while (!over && asked == 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    pollfd watched{pidfd, POLLIN, 0};
    over = ::poll(&watched, 1, static_cast<int>(left.count())) > 0;
  }
  ::close(pidfd);
  return over;
}

Result crashed(int status, const fs::path& scratch) {
  std::string saw;
  if (WIFSIGNALED(status))
    saw = std::string(::strsignal(WTERMSIG(status))) + " (signal " +
          std::to_string(WTERMSIG(status)) + ")";
  else
    saw = "the process ended with status " + std::to_string(WEXITSTATUS(status)) +
          " before the check had";
  saw += whereOf(scratch / "where");
  const std::string printed = lastOf(scratch / "output");
  if (!printed.empty()) saw += "\n" + printed;
  return {Outcome::crashed, saw};
}

}  // namespace

bool Runner::stopped() {
  return asked != 0;
}

Runner::Runner(const Options& options) : options_(options) {
  std::string name = (fs::temp_directory_path() / "plugin-check-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder can be made: " + name);
  folder_ = fs::canonical(name);
  if (options.inProcess) return;
  childrenComeHere();
  struct sigaction action {};
  action.sa_handler = [](int) { asked = 1; };
  for (const int signo : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signo, &action, nullptr);
}

Runner::~Runner() {
  std::error_code ignored;
  fs::current_path("/", ignored);
  fs::remove_all(folder_, ignored);
}

Result Runner::run(const Check& check, const Subject& subject) {
  const fs::path scratch = folder_ / std::to_string(++count_);
  fs::create_directories(scratch);
  if (options_.inProcess) return runHere(check, prepare(options_, subject, scratch));
  const Result result = runInChild(check, subject, scratch);
  endChildren();
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
  return result;
}

Result Runner::runInChild(const Check& check, const Subject& subject, const fs::path& scratch) {
  std::vector<std::string> words = {"plugin-check", "--run", check.name, "--scratch",
                                    scratch.string()};
  words.insert(words.end(), options_.passOn.begin(), options_.passOn.end());
  words.push_back(subject.file.string());
  std::ofstream(scratch / "where") << std::string(whereSize, '\0');
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process can be started");
  if (child == 0) become(words, scratch / "output");
  const std::chrono::seconds limit =
      options_.timeout > 0 ? std::chrono::seconds(options_.timeout) : subject.quirks.checkTime;
  const bool over = waitFor(child, limit);
  if (!over) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!over)
    return {Outcome::timedOut,
            "not over after " + std::to_string(limit.count()) + " s" + whereOf(scratch / "where")};
  const auto verdict = readVerdict(scratch / "verdict");
  return verdict ? *verdict : crashed(status, scratch);
}

void runAsChild(const Options& options) {
  const auto found = std::find_if(allChecks().begin(), allChecks().end(),
                                  [&](const Check& check) { return options.run == check.name; });
  if (found == allChecks().end()) throw UsageError("no check is called " + options.run);
  const int where = ::open((options.scratch / "where").c_str(), O_RDWR | O_CLOEXEC);
  void* place = ::mmap(nullptr, whereSize, PROT_READ | PROT_WRITE, MAP_SHARED, where, 0);
  ::close(where);
  if (place != MAP_FAILED) Border::tellWhere(static_cast<char*>(place));
  verdictGoesTo(options.scratch / "verdict");
  const Context context = prepare(options, options.subjects.front(), options.scratch);
  writeVerdict(runHere(*found, context));
  // Static destructors of a plugin are of no interest any more, and threads that it has left may
  // not be there for them.
  ::_exit(0);
}

}  // namespace hearth::check
