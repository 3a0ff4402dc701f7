#include "batch/Supervisor.h"

#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <future>

#include "../unit/temp_folder.h"
#include "process/ForeignProcess.h"
#include "process/Process.h"
#include "support/FileContent.h"

using namespace hearth::host;
using hearth::test::TempFolder;

namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

// As hearth-supervise describes itself.
ProcessIdentity describedIdentity(pid_t pid) {
  ProcessIdentity identity;
  identity.pid = pid;
  const std::string stat = fileContent("/proc/" + std::to_string(pid) + "/stat");
  std::size_t at = stat.rfind(')');
  for (int field = 2; field < 22; ++field) at = stat.find(' ', at + 1);
  identity.startTime = stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
  identity.bootId = fileContent("/proc/sys/kernel/random/boot_id");
  identity.bootId.erase(identity.bootId.find('\n'));
  return identity;
}

}  // namespace

TEST_CASE("an attempt is the supervisor's or the host's, never both's", "[batch]") {
  const TempFolder folder;
  SupervisedFolder files(folder.path());
  CHECK(files.attempt() == 1);
  CHECK_FALSE(files.claimed());  // nobody was first: the host gives the attempt up
  CHECK(files.attempt() == 2);
  CHECK(files.command("/sup", 500, {"a", "b"}) ==
        std::vector<std::string>{"/sup", folder.path(), "2", "500", "a", "b"});
  write(folder / "2.process", "77 123 boot\n");
  const auto claimed = files.claimed();
  REQUIRE(claimed);
  CHECK(claimed->pid == 77);
  CHECK(claimed->startTime == "123");
  CHECK(claimed->bootId == "boot");
  CHECK(files.attempt() == 2);
}

TEST_CASE("ends are told as they were", "[batch]") {
  const TempFolder folder;
  const SupervisedFolder files(folder.path());
  const auto end = [&](const std::string& text) {
    write(folder / "1.end", text);
    return files.end();
  };
  CHECK_FALSE(files.end());
  CHECK_FALSE(end(""));
  CHECK(end("exit 0 1700000000000")->success());
  CHECK(end("exit 0 1700000000000")->millis == 1700000000000);
  CHECK(end("exit 3 1")->text() == "exit status 3");
  CHECK(end("signal 9 1")->text() == "ended by SIGKILL");
  CHECK_FALSE(end("signal 9 1")->success());
  CHECK(end("failed cannot start 'x': gone")->text() == "cannot start 'x': gone");
  CHECK_FALSE(end("failed x")->success());
}

TEST_CASE("a process of an earlier host is watched, another with its pid is not", "[batch]") {
  EventLoop loop("test", 1);
  Launcher launcher(loop);
  std::promise<void> reaped;
  const auto child = launcher.spawn({{"sleep", "100"}, {}, "/", false, ""}, loop.strand(),
                                    {nullptr, [&](int, int) { reaped.set_value(); }});
  const ProcessIdentity identity = describedIdentity(child->pid());
  std::promise<void> ended;
  const auto watched =
      ForeignProcess::open(loop, identity, loop.strand(), [&] { ended.set_value(); });
  REQUIRE(watched);

  ProcessIdentity other = identity;
  other.startTime += "1";
  CHECK_FALSE(ForeignProcess::open(loop, other, loop.strand(), [] {}));
  other = identity;
  other.bootId = "another";
  CHECK_FALSE(ForeignProcess::open(loop, other, loop.strand(), [] {}));

  CHECK(watched->signal(SIGKILL));
  reaped.get_future().get();
  ended.get_future().get();
  CHECK_FALSE(watched->signal(0));
  CHECK_FALSE(ForeignProcess::open(loop, identity, loop.strand(), [] {}));
  loop.stop();
}
