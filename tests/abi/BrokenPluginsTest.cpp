// One defect each: the operator reads what is wrong, and nothing else is lost.
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include "abi/Support.h"
#include "plugin/PluginCatalog.h"

using Catch::Matchers::Contains;
using hearth::host::LoadError;
using hearth::host::PluginCatalog;
using hearth::host::PluginLibrary;
using hearth::test::Deployment;
using hearth::test::testPlugin;
namespace fs = std::filesystem;

namespace {

std::string refusal(const fs::path& file) {
  try {
    PluginLibrary library(file);
    return "";
  } catch (const LoadError& e) {
    return e.what();
  }
}

std::string refusalOf(const std::string& name) {
  Deployment deployment;
  return refusal(deployment.install(testPlugin(name), name + ".so"));
}

}  // namespace

TEST_CASE("a broken plugin is refused with the reason that its author needs") {
  CHECK(refusalOf("no_symbol") ==
        "it exports no hearth_plugin_v1: not a plugin for this version of the host");
  CHECK(refusalOf("null_table") == "hearth_plugin_v1 returned no table");
  CHECK(refusalOf("short_table") ==
        "its table's struct_size is 8, which is no length of a hearth_plugin");
  CHECK(refusalOf("garbage_size") ==
        "its table's struct_size is 2779096485, which is no length of a hearth_plugin");
  CHECK(refusalOf("missing_slot") == "its table lacks the required slot \"execute\"");
  CHECK(refusalOf("ends_early") == "its table lacks the required slot \"release\"");
  CHECK(refusalOf("null_descriptor") == "its table's descriptor_json is null");
  CHECK(refusalOf("malformed_descriptor") == "the descriptor is not JSON: incomplete JSON");
  CHECK(refusalOf("no_kinds") == "the descriptor has no \"kinds\"");
}

TEST_CASE("a plugin whose library is missing is refused in the loader's words") {
  const auto reason = refusalOf("missing_dependency");
  CHECK_THAT(reason, Contains("the loader refuses it: ") && Contains("libabi_gone.so") &&
                         Contains("No such file or directory"));
  CHECK_THAT(reason, !Contains("Bad file descriptor"));
}

TEST_CASE("a file that is no shared object is refused in the loader's words") {
  Deployment deployment;
  const auto file = Deployment::write(deployment.plugins() / "text.so", "no ELF at all");
  CHECK_THAT(refusal(file), Contains("the loader refuses it: ") &&
                                (Contains("file too short") || Contains("invalid ELF header")));
}

TEST_CASE("a path that is not plainly one file is refused") {
  Deployment deployment;
  CHECK_THAT(refusal("plugins/echo.so"), Contains("its path is not absolute"));
  CHECK_THAT(refusal(deployment.plugins() / "none.so"), Contains("No such file"));
  fs::create_directory(deployment.plugins() / "folder.so");
  CHECK_THAT(refusal(deployment.plugins() / "folder.so"), Contains("is not a regular file"));
}

TEST_CASE("code that others could change is not loaded") {
  Deployment deployment;
  const auto file = deployment.install(hearth::test::echoC(), "echoc.so");
  REQUIRE(refusal(file).empty());

  SECTION("file writable by all") {
    fs::permissions(file, fs::perms(0646));
    CHECK_THAT(refusal(file), Contains("echoc.so can be written by others; chmod go-w"));
  }
  SECTION("file writable by its group") {
    fs::permissions(file, fs::perms(0664));
    CHECK_THAT(refusal(file), Contains("echoc.so can be written by others"));
  }
  SECTION("folder writable by all, sticky or not") {
    fs::permissions(deployment.plugins(), fs::perms(01777));
    CHECK_THAT(refusal(file), Contains("plugins can be written by others"));
  }
  SECTION("a link to a good place, from a bad one") {
    const auto bad = deployment.root() / "bad";
    fs::create_directory(bad);
    fs::permissions(bad, fs::perms(0777));
    fs::create_symlink(file, bad / "link.so");
    CHECK_THAT(refusal(bad / "link.so"), Contains("bad can be written by others"));
  }
  SECTION("a link to a bad place, from a good one") {
    const auto bad = deployment.root() / "bad";
    fs::create_directory(bad);
    fs::copy_file(file, bad / "real.so");
    fs::permissions(bad, fs::perms(0777));
    fs::create_symlink(bad / "real.so", deployment.plugins() / "link.so");
    CHECK_THAT(refusal(deployment.plugins() / "link.so"), Contains("bad can be written by others"));
  }
}

TEST_CASE("broken plugins do not keep the good ones from loading") {
  Deployment deployment;
  for (const auto* name : {"no_symbol", "null_table", "missing_slot", "malformed_descriptor"})
    deployment.install(testPlugin(name), std::string(name) + ".so");
  Deployment::write(deployment.plugins() / "aaa.so", "no ELF at all");
  deployment.install(hearth::test::echoC(), "zzz/echoc.so");
  deployment.manifest("bad.json", "{");

  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  CHECK(catalog.kinds() == std::vector<std::string>{"echoc"});
  std::size_t refused = 0;
  for (const auto& entry : catalog.entries()) {
    if (entry.loaded) continue;
    ++refused;
    CHECK_FALSE(entry.reason.empty());
    CHECK(entry.table == nullptr);
  }
  CHECK(refused == 6);
}
