#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <hearth/kit/fake_host.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "abi/Support.h"
#include "plugin/PluginLibrary.h"

using hearth::host::PluginLibrary;
using hearth::kit::FakeHost;
using hearth::kit::FakeInstance;
using hearth::kit::FakeSession;
using hearth::test::Deployment;
using hearth::test::testPlugin;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> linesOf(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  REQUIRE(pipe != nullptr);
  std::vector<std::string> lines;
  char line[512];
  while (::fgets(line, sizeof line, pipe.get()) != nullptr) lines.emplace_back(line);
  return lines;
}

/// Symbols that a library defines for others, without address.
std::vector<std::string> exports(const fs::path& library) {
  std::vector<std::string> symbols;
  for (const auto& line :
       linesOf(std::string(HEARTH_TEST_NM) + " -D --defined-only '" + library.string() + "'")) {
    std::istringstream words(line);
    std::string address, type, name;
    words >> address >> type >> name;
    symbols.push_back(type + " " + name);
  }
  return symbols;
}

}  // namespace

TEST_CASE("a plugin of an older header runs: what it lacks is null, not what lies behind it") {
  Deployment deployment;
  const PluginLibrary library(deployment.install(testPlugin("shorter"), "shorter.so"));
  CHECK(library.table().struct_size == sizeof(hearth_plugin));
  CHECK(library.table().on_proc_line == nullptr);
  CHECK(library.table().on_timer == nullptr);
  FakeHost host;
  const FakeInstance instance(library.table(), host.table());
  FakeSession session(instance, host, 1);
  CHECK(session.launch());
  CHECK(session.execute(1, "x"));
  session.close();
}

TEST_CASE("a plugin of a newer header runs: its further slots are not looked at") {
  Deployment deployment;
  const PluginLibrary library(deployment.install(testPlugin("longer"), "longer.so"));
  CHECK(library.table().struct_size == sizeof(hearth_plugin));
  CHECK(library.abiMinor() == 7);
  CHECK(library.table().on_timer == nullptr);
  FakeHost host;
  const FakeInstance instance(library.table(), host.table());
  FakeSession session(instance, host, 1);
  CHECK(session.execute(1, "x"));
}

TEST_CASE("a plugin's code outlives the object that loaded it") {
  Deployment deployment;
  const auto file = deployment.install(hearth::test::echoCpp(), "echo.so");
  hearth_plugin table;
  {
    const PluginLibrary library(file);
    table = library.table();
  }
  void* still = ::dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD);
  CHECK(still != nullptr);
  if (still != nullptr) ::dlclose(still);

  FakeHost host;
  const FakeInstance instance(table, host.table());
  FakeSession session(instance, host, 1);
  CHECK(session.launch());
  CHECK(session.execute(1, "still here"));
  REQUIRE(host.dones.size() == 1);
  CHECK(host.dones[0].bundle == R"({"text/plain":"still here"})");
}

TEST_CASE("plugins do not see each other's symbols") {
  Deployment deployment;
  const PluginLibrary library(deployment.install(hearth::test::echoC(), "echoc.so"));
  CHECK(::dlsym(RTLD_DEFAULT, "hearth_plugin_v1") == nullptr);
}

TEST_CASE("a plugin exports its entry and nothing else") {
  const std::vector<std::string> entryOnly{"T hearth_plugin_v1"};
  CHECK(exports(hearth::test::echoCpp()) == entryOnly);
  CHECK(exports(hearth::test::echoC()) == entryOnly);
  CHECK(exports(testPlugin("throwing")) == entryOnly);
}

TEST_CASE("plugins built out of tree load, run and need nothing but libc", "[.out-of-tree]") {
  // Run by out_of_tree.cmake, which builds them.
  const char* files = std::getenv("HEARTH_TEST_OUT_OF_TREE");
  REQUIRE(files != nullptr);
  std::istringstream list(files);
  std::size_t count = 0;
  for (std::string file; std::getline(list, file, ':'); ++count) {
    INFO(file);
    Deployment deployment;
    const PluginLibrary library(deployment.install(file, fs::path(file).filename().string()));
    FakeHost host;
    const FakeInstance instance(library.table(), host.table());
    FakeSession session(instance, host, 1);
    CHECK(session.launch());
    CHECK(session.execute(1, "out of tree"));
    CHECK_FALSE(session.execute(2, "throw"));
    REQUIRE(host.dones.size() == 1);
    CHECK(host.dones[0].bundle == R"({"text/plain":"out of tree"})");
    CHECK(exports(file) == std::vector<std::string>{"T hearth_plugin_v1"});
    for (const auto& line : linesOf("readelf -d '" + file + "'")) {
      if (line.find("(NEEDED)") == std::string::npos) continue;
      CHECK((line.find("[libc.so.6]") != std::string::npos ||
             line.find("[libm.so.6]") != std::string::npos ||
             line.find("[ld-linux") != std::string::npos));
    }
  }
  CHECK(count == 2);
}
