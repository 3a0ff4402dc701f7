#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "process/Process.h"
#include "support/FileContent.h"
#include "temp_folder.h"

using namespace hearth::host;
using hearth::test::TempFolder;
using namespace std::chrono_literals;

namespace {

/// What a process said, and how it ended.
class Watch {
 public:
  Process::Events events() {
    return {[this](int stream, const hearth::host::TextLine& line) {
              const std::lock_guard<std::mutex> lock(mutex_);
              afterExit_ = afterExit_ || exits_ > 0;
              lines_[stream].push_back(line.text + (line.goesOn ? "+" : ""));
              changed_.notify_all();
            },
            [this](int status, int signo) {
              const std::lock_guard<std::mutex> lock(mutex_);
              status_ = status;
              signo_ = signo;
              ++exits_;
              changed_.notify_all();
            }};
  }
  bool waitExit() {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] { return exits_ > 0; });
  }
  bool waitLines(int stream, std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] { return lines_[stream].size() >= count; });
  }
  std::vector<std::string> lines(int stream = 1) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lines_[stream];
  }
  int status() const { return status_; }
  int signo() const { return signo_; }
  int exits() const { return exits_; }
  bool lineAfterExit() const { return afterExit_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, std::vector<std::string>> lines_;
  std::atomic<int> status_{-2};
  std::atomic<int> signo_{-2};
  std::atomic<int> exits_{0};
  std::atomic<bool> afterExit_{false};
};

SpawnRequest shell(const std::string& script, bool lines = true) {
  SpawnRequest request;
  request.argv = {"/bin/sh", "-c", script};
  request.lines = lines;
  return request;
}

struct Bench {
  std::shared_ptr<Process> spawn(const SpawnRequest& request, Watch& watch) {
    return launcher.spawn(request, loop.strand(), watch.events());
  }
  /// Runs to its end; what it printed.
  std::vector<std::string> run(const SpawnRequest& request) {
    Watch watch;
    const auto process = spawn(request, watch);
    REQUIRE(watch.waitExit());
    return watch.lines();
  }
  std::string failure(const SpawnRequest& request) {
    Watch watch;
    try {
      spawn(request, watch);
    } catch (const SpawnError& error) {
      return error.what();
    }
    return "started";
  }

  EventLoop loop{"test", 2};
  Launcher launcher{loop};
};

bool exists(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

/// True once no such process is there, not as a zombie either.
bool goes(pid_t pid) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (exists(pid)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("lines of both streams come whole and before the exit", "[process]") {
  Bench bench;
  Watch watch;
  const auto process =
      bench.spawn(shell("echo one; echo two >&2; printf 'three\\r\\n\\nlast'; exit 7"), watch);
  REQUIRE(watch.waitExit());
  CHECK(watch.lines(1) == std::vector<std::string>{"one", "three", "", "last"});
  CHECK(watch.lines(2) == std::vector<std::string>{"two"});
  CHECK(watch.status() == 7);
  CHECK(watch.signo() == 0);
  CHECK(watch.exits() == 1);
  CHECK_FALSE(process->signal(SIGTERM));
  CHECK_FALSE(process->write("late"));
}

TEST_CASE("much output is neither lost nor mixed up", "[process]") {
  Bench bench;
  const auto lines =
      bench.run(shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"));
  REQUIRE(lines.size() == 20000);
  for (int i = 0; i < 20000; ++i) REQUIRE(lines[i] == "line " + std::to_string(i));
}

TEST_CASE("a user slow to take lines holds the process back and loses nothing", "[process]") {
  Bench bench;
  std::mutex gate;
  std::unique_lock<std::mutex> shut(gate);
  std::atomic<int> count{0};
  std::atomic<bool> ended{false};
  const TempFolder folder;
  // It writes 32 MiB and then a file: the file must not come while nobody takes the lines.
  const auto process = bench.launcher.spawn(
      shell("head -c 33554432 /dev/zero | tr '\\0' 'x' | fold -w 1023; touch " + (folder / "done")),
      bench.loop.strand(),
      {[&](int, const hearth::host::TextLine&) {
         const std::lock_guard<std::mutex> wait(gate);
         ++count;
       },
       [&](int, int) { ended = true; }});
  std::this_thread::sleep_for(300ms);
  CHECK_FALSE(std::filesystem::exists(folder / "done"));
  shut.unlock();
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!ended && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(ended);
  CHECK(count == 33554432 / 1023 + 1);
}

TEST_CASE("a line without end comes in pieces of text", "[process]") {
  Bench bench;
  const auto lines =
      bench.run(shell("head -c 65535 /dev/zero | tr '\\0' x; printf '\\303\\244%s\\n' tail; "
                      "head -c 65536 /dev/zero | tr '\\0' y; echo; echo after"));
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == std::string(65535, 'x') + "+");
  CHECK(lines[1] == "\xC3\xA4tail");
  CHECK(lines[2] == std::string(65536, 'y'));
  CHECK(lines[3] == "after");
}

TEST_CASE("output that is not UTF-8 is repaired", "[process]") {
  Bench bench;
  CHECK(bench.run(shell("printf 'a\\377b\\n'")) == std::vector<std::string>{"a\xEF\xBF\xBD"
                                                                            "b"});
}

TEST_CASE("what is written reaches stdin, and too much is refused", "[process]") {
  Bench bench;
  Watch watch;
  auto request = shell("");
  request.argv = {"cat"};
  const auto process = bench.spawn(request, watch);
  for (int i = 0; i < 100; ++i) REQUIRE(process->write("line " + std::to_string(i) + "\n"));
  REQUIRE(watch.waitLines(1, 100));
  CHECK(watch.lines()[99] == "line 99");
  CHECK(process->signal(SIGTERM));
  REQUIRE(watch.waitExit());
  CHECK(watch.status() == -1);
  CHECK(watch.signo() == SIGTERM);

  Watch deaf;
  const auto sleeper = bench.spawn(shell("exec sleep 100"), deaf);
  CHECK(sleeper->write(std::string(8 * 1024 * 1024, 'x')));
  CHECK_FALSE(sleeper->write(std::string(1024 * 1024, 'x')));
  CHECK(sleeper->signal(SIGKILL));
  CHECK(deaf.waitExit());
}

TEST_CASE("a process that closes its stdin does not end the host", "[process]") {
  Bench bench;
  Watch watch;
  const auto process = bench.spawn(shell("exec 0<&-; echo closed; exec sleep 100"), watch);
  REQUIRE(watch.waitLines(1, 1));
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (process->write("x") && std::chrono::steady_clock::now() < deadline) {
  }
  CHECK_FALSE(process->write("x"));
  CHECK(process->signal(SIGKILL));
  CHECK(watch.waitExit());
}

TEST_CASE("a driver's output goes to its log file, after what is there", "[process]") {
  Bench bench;
  const TempFolder folder;
  auto request = shell("echo out; echo err >&2; cat; pwd", false);
  request.logFile = folder / "driver.log";
  request.cwd = folder.path();
  for (int i = 0; i < 2; ++i) {
    Watch each;
    const auto process = bench.spawn(request, each);
    CHECK_FALSE(process->write("x"));
    REQUIRE(each.waitExit());
    CHECK(each.lines().empty());
  }
  const std::string once = "out\nerr\n" + folder.path() + "\n";
  CHECK(fileContent(request.logFile) == once + once);
  struct stat status {};
  REQUIRE(::stat(request.logFile.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a failure to start names the program and why", "[process]") {
  Bench bench;
  const TempFolder folder;
  SpawnRequest request;
  CHECK_THAT(bench.failure(request), Catch::Contains("no program"));
  request.argv = {"no-such-program-here"};
  CHECK_THAT(bench.failure(request),
             Catch::Contains("'no-such-program-here'") && Catch::Contains("not found in PATH"));
  request.argv = {folder / "absent"};
  CHECK_THAT(bench.failure(request), Catch::Contains("absent") && Catch::Contains("No such file"));

  std::ofstream(folder / "plain") << "text";
  request.argv = {folder / "plain"};
  CHECK_THAT(bench.failure(request), Catch::Contains("not executable"));
  request.argv = {"plain"};
  request.env = {"PATH=" + folder.path()};
  CHECK_THAT(bench.failure(request), Catch::Contains("not executable"));
  ::chmod((folder / "plain").c_str(), 0700);
  CHECK_THAT(bench.failure(request), Catch::Contains("no program of this system"));
  std::ofstream(folder / "script") << "#!/no/such/interpreter\n";
  ::chmod((folder / "script").c_str(), 0700);
  request.argv = {"script"};
  CHECK_THAT(bench.failure(request), Catch::Contains("interpreter"));

  request = shell("true");
  request.cwd = folder / "nowhere";
  CHECK_THAT(bench.failure(request), Catch::Contains("working directory") &&
                                         Catch::Contains("nowhere") &&
                                         Catch::Contains("No such file"));
  request = shell("true", false);
  request.logFile = folder / "nowhere/driver.log";
  CHECK_THAT(bench.failure(request), Catch::Contains("nowhere/driver.log"));
  request = shell(std::string("a\0b", 3));
  CHECK_THAT(bench.failure(request), Catch::Contains("NUL"));
  request = shell("true");
  request.env = {"NOVALUE"};
  CHECK_THAT(bench.failure(request), Catch::Contains("NOVALUE"));
}

TEST_CASE("a child sees the base environment, what it is given, and no secret of the host",
          "[process]") {
  ::setenv("HEARTH_TEST_SECRET", "x", 1);
  ::setenv("HEARTH_TEST_PASSED", "on", 1);
  ::setenv("LC_TEST", "here", 1);
  EventLoop loop("test", 1);
  Launcher launcher(loop, {"HEARTH_TEST_PASSED"});
  Watch watch;
  SpawnRequest request;
  request.argv = {"env"};
  request.lines = true;
  request.env = {"GIVEN=a=b", "HOME=/given", "EMPTY="};
  const auto process = launcher.spawn(request, loop.strand(), watch.events());
  REQUIRE(watch.waitExit());
  std::map<std::string, std::string> seen;
  for (const std::string& line : watch.lines())
    seen[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  CHECK(seen["GIVEN"] == "a=b");
  CHECK(seen["HOME"] == "/given");
  CHECK(seen["HEARTH_TEST_PASSED"] == "on");
  CHECK(seen["LC_TEST"] == "here");
  CHECK(seen["PATH"] == std::getenv("PATH"));
  CHECK(seen.count("EMPTY") == 1);
  CHECK(seen.count("HEARTH_TEST_SECRET") == 0);
  for (const char* name : {"HEARTH_TEST_SECRET", "HEARTH_TEST_PASSED", "LC_TEST"}) ::unsetenv(name);
}

TEST_CASE("a child has no descriptor of the host and leads its own session", "[process]") {
  Bench bench;
  // Without close-on-exec, as libraries open them.
  const int leak = ::open("/dev/null", O_RDONLY);
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const int high = ::fcntl(leak, F_DUPFD, 900);
  const auto lines = bench.run(shell("ls /proc/$$/fd"));
  CHECK(lines == std::vector<std::string>{"0", "1", "2"});
  Watch watch;
  const auto process = bench.spawn(shell("echo; exec sleep 100"), watch);
  REQUIRE(watch.waitLines(1, 1));
  CHECK(::getpgid(process->pid()) == process->pid());
  CHECK(::getsid(process->pid()) == process->pid());
  CHECK(process->signal(SIGKILL));
  CHECK(watch.waitExit());
  for (const int fd : {leak, socket, high}) ::close(fd);
}

TEST_CASE("a child starts with no signal blocked or ignored", "[process]") {
  Bench bench;
  sigset_t set;
  sigset_t old;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &set, &old);
  const auto before = ::signal(SIGHUP, SIG_IGN);
  SpawnRequest request;
  request.argv = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"};
  request.lines = true;
  const auto lines = bench.run(request);
  ::signal(SIGHUP, before);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  CHECK(lines ==
        std::vector<std::string>{"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"});
}

TEST_CASE("a signal reaches the children's children too", "[process]") {
  Bench bench;
  Watch watch;
  const auto process = bench.spawn(shell("sleep 100 & echo $!; wait"), watch);
  REQUIRE(watch.waitLines(1, 1));
  const pid_t grandchild = std::stoi(watch.lines()[0]);
  CHECK(exists(grandchild));
  CHECK(process->signal(SIGKILL));
  REQUIRE(watch.waitExit());
  CHECK(watch.signo() == SIGKILL);
  // Whoever adopts it reaps it in its own time: dead is what counts.
  const auto dead = [&] {
    const std::string stat = fileContent("/proc/" + std::to_string(grandchild) + "/stat");
    return stat.empty() || stat.find(") Z") != std::string::npos;
  };
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!dead() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(dead());
}

TEST_CASE("a grandchild that holds the pipes does not hide the exit", "[process]") {
  Bench bench;
  Watch watch;
  const auto started = std::chrono::steady_clock::now();
  const auto process = bench.spawn(shell("sleep 60 & echo $!; exit 3"), watch);
  REQUIRE(watch.waitExit());
  CHECK(std::chrono::steady_clock::now() - started < 20s);
  CHECK(watch.status() == 3);
  REQUIRE(watch.lines().size() == 1);
  CHECK_FALSE(watch.lineAfterExit());
  ::kill(std::stoi(watch.lines()[0]), SIGKILL);
}

TEST_CASE("no zombie stays, also of processes that nobody holds any more", "[process]") {
  Bench bench;
  std::vector<pid_t> pids;
  for (int i = 0; i < 50; ++i) {
    Watch watch;
    const auto process =
        bench.spawn(shell(i % 2 ? "exit 0" : "echo x; sleep 0.1", i % 3 != 0), watch);
    pids.push_back(process->pid());
  }
  for (const pid_t pid : pids) CHECK(goes(pid));
}

TEST_CASE("a process that is let go of runs on, and nothing more is heard of it", "[process]") {
  Bench bench;
  const TempFolder folder;
  pid_t pid = 0;
  {
    Watch watch;
    const auto process = bench.spawn(
        shell("echo x; cat > /dev/null; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); "
              "done; touch " +
              (folder / "done")),
        watch);
    REQUIRE(watch.waitLines(1, 1));
    pid = process->pid();
  }  // the watch is freed here: a late event would touch it
  CHECK(goes(pid));
  CHECK(std::filesystem::exists(folder / "done"));
}

TEST_CASE("a process can be let go of from its own event", "[process]") {
  Bench bench;
  std::shared_ptr<Process> process;
  std::mutex mutex;
  std::condition_variable changed;
  int lines = 0;
  std::unique_lock<std::mutex> lock(mutex);
  process = bench.launcher.spawn(shell("echo a; echo b; echo c"), bench.loop.strand(),
                                 {[&](int, const hearth::host::TextLine&) {
                                    const std::lock_guard<std::mutex> inner(mutex);
                                    ++lines;
                                    process.reset();
                                    changed.notify_all();
                                  },
                                  nullptr});
  const pid_t pid = process->pid();
  REQUIRE(changed.wait_for(lock, 20s, [&] { return lines > 0; }));
  lock.unlock();
  CHECK(goes(pid));
  CHECK(lines == 1);
}

TEST_CASE("100 processes from many threads at once all start and end", "[process]") {
  Bench bench;
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        Watch watch;
        const auto process = bench.spawn(shell("echo $$; exit " + std::to_string(t)), watch);
        if (watch.waitExit() && watch.status() == t &&
            watch.lines() == std::vector<std::string>{std::to_string(process->pid())})
          ++good;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 100);
}
