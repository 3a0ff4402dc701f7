#include "Connection.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "Guard.h"

using namespace hearth::jupyter;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/hearth-jupyter-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_; }
  bool empty() const { return fs::is_empty(path_); }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("The next run of the host finds a kernel where this one has left it") {
  const Transport transport = GENERATE(Transport::ipc, Transport::tcp);
  const Folder folder;
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
  CHECK(folder.empty());
  CHECK_THROWS_WITH(Connection(later, file), Catch::Contains(file));
}

TEST_CASE("A guard finds the lock taken for as long as there is a host") {
  const Folder folder;
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
