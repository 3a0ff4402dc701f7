#include "Connection.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "Guard.h"
#include "unit/temp_folder.h"

using namespace hearth::jupyter;
using hearth::test::TempFolder;
namespace fs = std::filesystem;

TEST_CASE("The next run of the host finds a kernel where this one has left it") {
  const Transport transport = GENERATE(Transport::ipc, Transport::tcp);
  const TempFolder folder;
  Ports ports, later;
  std::string file, key, control;
  {
    Connection made(ports, folder.path(), "kernel1", transport, "k");
    file = made.file();
    key = made.key();
    control = made.endpoint(Channel::control);
    made.keep();
  }
  {
    Connection found(later, file);
    CHECK(found.transport() == transport);
    CHECK(found.key() == key);
    CHECK(found.endpoint(Channel::control) == control);
    CHECK(Connection::exists(folder.path(), "kernel1"));
  }
  CHECK(fs::is_empty(folder.path()));
  CHECK_THROWS_WITH(Connection(later, file), Catch::Contains(file));
}

TEST_CASE("A guard finds the lock taken for as long as there is a host") {
  const TempFolder folder;
  Ports ports;
  Connection host(ports, folder.path(), "kernel1", Transport::ipc, "k");
  CHECK(host.lock());
  {
    Connection other(ports, host.file());
    CHECK_FALSE(other.lock());
    other.keep();
  }
  CHECK(fs::exists(host.lockFile()));
}

TEST_CASE("A kernel's program is looked for before a guard is started for it") {
  CHECK(findProgram("sh", "relative::/nonexistent:/bin", "/") == "/bin/sh");
  CHECK(findProgram("bin/sh", "", "/") == "//bin/sh");
  CHECK_THROWS_WITH(findProgram("/nonexistent/kernel", "/bin", "/"),
                    Catch::Contains("/nonexistent/kernel"));
  CHECK_THROWS_WITH(findProgram("nosuchprogram", "/bin", "/"), Catch::Contains("PATH (/bin)"));
  CHECK_THROWS_WITH(findProgram("/etc/passwd", "/bin", "/"), Catch::Contains("not executable"));
  CHECK_FALSE(canGuard("/nonexistent"));
}
