#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include "abi/Support.h"
#include "plugin/PluginCatalog.h"
#include "plugin/PluginInstance.h"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using hearth::host::CatalogEntry;
using hearth::host::PluginCatalog;
using hearth::test::Deployment;
using hearth::test::echoC;
using hearth::test::echoCpp;
using hearth::test::testPlugin;
namespace fs = std::filesystem;

namespace {

boost::json::object config(const CatalogEntry& entry) {
  return boost::json::parse(entry.configJson).get_object();
}

/// The one entry of a deployment of configured.so with this manifest.
CatalogEntry only(const std::string& manifest) {
  Deployment deployment;
  deployment.install(testPlugin("configured"), "configured.so");
  deployment.manifest("configured.json", manifest);
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  REQUIRE(catalog.entries().size() == 1);
  return catalog.entries().front();
}

}  // namespace

TEST_CASE("a plugin dropped into the folder works without any configuration") {
  Deployment deployment;
  deployment.install(echoCpp(), "echo.so");
  const auto configured = deployment.install(testPlugin("configured"), "sub/configured.so");
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());

  CHECK(catalog.kinds() == std::vector<std::string>{"conf", "conf2", "echo"});
  const auto* entry = catalog.find("conf");
  REQUIRE(entry != nullptr);
  CHECK(entry->loaded);
  CHECK(entry->reason.empty());
  CHECK(entry->instance == "configured");
  CHECK(entry->path == configured.string());
  CHECK(entry->manifest.empty());
  CHECK(entry->leader == "spark");
  CHECK(entry->table != nullptr);
  const auto values = config(*entry);
  CHECK(values.at("python").as_string() == "python3");
  CHECK(values.at("retries").as_int64() == 3);
  CHECK(values.at("plugin_dir").as_string() == configured.parent_path().string());
  CHECK(values.if_contains("jars") == nullptr);
}

TEST_CASE("what the deployment says for all plugins holds where a plugin's manifest is silent",
          "[catalog]") {
  const PluginCatalog::Fallbacks fallbacks = {{"python", "/py"}, {"unknown", "x"}};
  const auto configOf = [&](const std::string& manifest, const PluginCatalog::Fallbacks& given) {
    Deployment deployment;
    deployment.install(testPlugin("configured"), "configured.so");
    deployment.manifest("configured.json", manifest);
    const PluginCatalog catalog(deployment.plugins(), deployment.manifests(), given);
    REQUIRE(catalog.entries().at(0).loaded);
    return std::string(config(catalog.entries().at(0)).at("python").as_string());
  };
  CHECK(configOf(R"({"manifest_version":1})", fallbacks) == "/py");
  CHECK(configOf(R"({"manifest_version":1,"config":{"python":"mine"}})", fallbacks) == "mine");
  CHECK(configOf(R"({"manifest_version":1})", {{"python", ""}}) == "python3");
}

TEST_CASE("an alias finds its kind, and a kind outranks another plugin's alias") {
  Deployment deployment;
  deployment.install(testPlugin("configured"), "configured.so");  // its alias: echo for conf2
  {
    const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
    CHECK(catalog.canonicalKind("confy") == "conf");
    CHECK(catalog.canonicalKind("echo") == "conf2");
    CHECK(catalog.canonicalKind("conf") == "conf");
    CHECK(catalog.canonicalKind("nothing").empty());
    CHECK(catalog.find("confy") == catalog.find("conf"));
    CHECK(catalog.find("nothing") == nullptr);
    CHECK(catalog.descriptorKind("confy") == "conf");
    CHECK(catalog.descriptorKind("nothing").empty());
  }
  deployment.install(echoCpp(), "echo.so");
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  CHECK(catalog.canonicalKind("echo") == "echo");
  CHECK(catalog.find("echo")->instance == "echo");
}

TEST_CASE("a kind takes a parameter where its plugin's descriptor says so, and no other does") {
  Deployment deployment;
  deployment.install(testPlugin("configured"), "configured.so");
  deployment.install(echoC(), "echoc.so");
  deployment.manifest("configured.json",
                      R"({"manifest_version":1,"name":"configured","kinds":{"conf":"mine"}})");
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  CHECK(catalog.canonicalKind("conf2:3.11") == "conf2:3.11");
  CHECK(catalog.canonicalKind("echo:x") == "conf2:x");  // an alias
  CHECK(catalog.descriptorKind("mine:x") == "conf");    // renamed
  REQUIRE(catalog.find("mine:x") != nullptr);
  CHECK(catalog.find("mine:x") == catalog.find("conf2"));
  CHECK(PluginCatalog::kindParameter("mine:x") == "x");
  CHECK(PluginCatalog::kindParameter("mine").empty());
  CHECK(catalog.kinds() == std::vector<std::string>{"conf2", "echoc", "mine"});
  for (const char* wrong :
       {"echoc:x", "mine:", ":x", ":", "mine:x:y", "mine:../x", "mine: x", "nobody:x"}) {
    CAPTURE(wrong);
    CHECK(catalog.canonicalKind(wrong).empty());
    CHECK(catalog.find(wrong) == nullptr);
  }
}

TEST_CASE("folders that are not there are empty, not an error") {
  Deployment deployment;
  const PluginCatalog catalog(deployment.root() / "none", "");
  CHECK(catalog.entries().empty());
}

TEST_CASE("a manifest configures, renames and names its plugin") {
  const auto entry = only(R"({"manifest_version":1,"instance":"second",
      "kinds":{"conf":"conf35","spark":"spark35"},"config":{"retries":9,"jars":["a.jar"]}})");
  REQUIRE(entry.reason == "");
  REQUIRE(entry.loaded);
  CHECK(entry.instance == "second");
  CHECK(entry.kinds == std::map<std::string, std::string>{{"conf35", "conf"}, {"conf2", "conf2"}});
  CHECK(entry.aliases == std::map<std::string, std::string>{{"echo", "conf2"}});
  CHECK(entry.leader == "spark35");
  CHECK(config(entry).at("retries").as_int64() == 9);
  CHECK(config(entry).at("python").as_string() == "python3");
  CHECK(config(entry).at("jars").as_array().size() == 1);
}

TEST_CASE("a mistake in a manifest is a refusal that names it") {
  const auto reason = [](const std::string& members) {
    const auto entry = only(R"({"manifest_version":1,)" + members + "}");
    CHECK_FALSE(entry.loaded);
    CHECK_FALSE(entry.disabled);
    CHECK_THAT(entry.manifest, Catch::Matchers::EndsWith("configured.json"));
    return entry.reason;
  };
  CHECK(reason(R"("conifg":{})") == "unknown manifest key \"conifg\"; did you mean \"config\"?");
  CHECK(reason(R"("config":{"retires":1})") ==
        "unknown config key \"retires\"; did you mean \"retries\"?");
  CHECK(reason(R"("config":{"plugin_dir":"/"})") == "unknown config key \"plugin_dir\"");
  CHECK(reason(R"("kinds":{"cnf":"x"})") ==
        "manifest key \"kinds\": the plugin has no kind \"cnf\"; did you mean \"conf\"?");
  CHECK(reason(R"("kinds":{"conf":"conf2"})") ==
        "manifest key \"kinds\" gives two kinds the name \"conf2\"");
  CHECK(reason(R"("kinds":{"conf":"a b"})") ==
        "manifest key \"kinds\": the new name of \"conf\" is not a name");
  CHECK(reason(R"("enabled":"no")") == "manifest key \"enabled\" is neither true nor false");
  CHECK(reason(R"("limits":{"session":1})") ==
        "manifest key \"limits\": Unrecognized field \"session\", did you mean \"sessions\"?");
  CHECK_THAT(reason(R"("defaults":{"proxyUser":"x"})"), Contains("\"proxyUser\""));
  CHECK_THAT(reason(R"("defaults":{"ttl":"soon"})"), Contains("'soon' is not a time"));
  CHECK(reason(R"("instance":"a/b")") ==
        "instance \"a/b\" is not a name: letters, digits, and . _ - + inside");
  CHECK_THAT(reason(R"("library":"configurde.so")"), Contains("No such file or directory"));
  CHECK_THAT(only("{}").reason, Contains("no \"manifest_version\""));
  CHECK_THAT(only(R"({"manifest_version":2})").reason,
             Contains("manifest_version 2 is not one that this host reads"));
  CHECK_THAT(only("{\"manifest_version\":1").reason, Contains("the manifest is not JSON"));
}

TEST_CASE("a plugin that its manifest disables, or gets wrong, is not loaded with defaults") {
  for (const auto* manifest : {R"({"manifest_version":1,"enabled":false})", "{", "[]",
                               R"({"manifest_version":1,"enabeld":false})"}) {
    const auto entry = only(manifest);
    CHECK_FALSE(entry.loaded);
    CHECK_FALSE(entry.reason.empty());
  }
  const auto entry = only(R"({"manifest_version":1,"enabled":false})");
  CHECK(entry.disabled);
  CHECK_THAT(entry.reason, StartsWith("disabled by "));
}

TEST_CASE("a manifest that others can write is not believed") {
  Deployment deployment;
  deployment.install(echoC(), "echoc.so");
  const auto file = deployment.manifest("echoc.json", R"({"manifest_version":1})");
  fs::permissions(file, fs::perms(0666));
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  REQUIRE(catalog.entries().size() == 1);
  CHECK_FALSE(catalog.entries().front().loaded);
  CHECK_THAT(catalog.entries().front().reason, Contains("echoc.json can be written by others"));
}

TEST_CASE("a library is found by name, by path inside the folder, and by absolute path") {
  Deployment deployment;
  const auto inside = deployment.install(echoC(), "deep/inside/echoc.so");
  const auto outside = deployment.root() / "elsewhere";
  fs::create_directory(outside);
  fs::permissions(outside, fs::perms(0755));
  fs::rename(deployment.install(echoCpp(), "x.so"), outside / "x.so");
  deployment.install(testPlugin("longer"), "longer.so");

  deployment.manifest("1.json", R"({"manifest_version":1,"name":"longer"})");
  deployment.manifest("2.json", R"({"manifest_version":1,"library":"deep/inside/echoc.so"})");
  deployment.manifest("3.json",
                      R"({"manifest_version":1,"library":")" + (outside / "x.so").string() + "\"}");
  deployment.manifest("4.json", R"({"manifest_version":1,"name":"longre"})");
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  CHECK(catalog.kinds() == std::vector<std::string>{"echo", "echoc", "longer"});
  CHECK(catalog.find("echoc")->path == inside.string());
  REQUIRE(catalog.entries().size() == 4);
  CHECK_THAT(catalog.entries().back().reason, Contains("there is no plugin called \"longre\"") &&
                                                  Contains("did you mean \"longer\"?"));
}

TEST_CASE("a name that two files have is not guessed at") {
  Deployment deployment;
  deployment.install(echoC(), "a/echo.so");
  deployment.install(echoCpp(), "b/echo.so");
  deployment.manifest("echo.json", R"({"manifest_version":1})");
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  CHECK_THAT(catalog.entries().front().reason,
             Contains("are called \"echo\"; say which by \"library\""));
  CHECK(catalog.kinds().empty());
}

TEST_CASE("one library serves two instances under two names") {
  Deployment deployment;
  deployment.install(testPlugin("configured"), "configured.so");
  deployment.manifest("a.json", R"({"manifest_version":1,"name":"configured"})");
  deployment.manifest("b.json", R"({"manifest_version":1,"name":"configured",
      "kinds":{"conf":"other","conf2":"other2"},"config":{"python":"python3.13"}})");
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  CHECK(catalog.kinds() == std::vector<std::string>{"conf", "conf2", "other", "other2"});
  CHECK(catalog.find("conf")->library == catalog.find("other")->library);
  CHECK(config(*catalog.find("other")).at("python").as_string() == "python3.13");
  CHECK(catalog.descriptorKind("other") == "conf");
  CHECK(catalog.canonicalKind("confy") == "conf");
}

TEST_CASE("the second plugin that offers a kind is refused, and the first goes on") {
  Deployment deployment;
  deployment.install(echoC(), "a.so");
  deployment.install(echoC(), "b.so");
  SECTION("in the order of their paths") {
    const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
    CHECK(catalog.find("echoc")->instance == "a");
    REQUIRE(catalog.entries().size() == 2);
    CHECK_THAT(catalog.entries().back().reason,
               StartsWith("kind \"echoc\" is offered by \"a\" (") && Contains("a.so) already"));
  }
  SECTION("but one that has a manifest comes first") {
    deployment.manifest("b.json", R"({"manifest_version":1})");
    const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
    CHECK(catalog.find("echoc")->instance == "b");
  }
  SECTION("and so is the second instance of a name") {
    deployment.manifest("1.json", R"({"manifest_version":1,"name":"a","instance":"i"})");
    deployment.manifest("2.json", R"({"manifest_version":1,"name":"b","instance":"i",
        "kinds":{"echoc":"other"}})");
    const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
    CHECK(catalog.kinds() == std::vector<std::string>{"echoc"});
    CHECK_THAT(catalog.entries().back().reason,
               StartsWith("there is an instance \"i\" already, of "));
  }
}

TEST_CASE("a library that is not the one the deployment approved is refused") {
  Deployment deployment;
  const auto file = Deployment::write(deployment.plugins() / "x.so", "abc");
  const std::string digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  deployment.manifest("x.json", R"({"manifest_version":1,"sha256":")" + digest + "\"}");
  {  // the right digest: as far as the loader, which has its own objection
    const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
    CHECK_THAT(catalog.entries().front().reason, StartsWith("the loader refuses it"));
  }
  fs::remove(file);
  deployment.install(echoC(), "x.so");
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests());
  REQUIRE(catalog.entries().size() == 1);
  CHECK_THAT(catalog.entries().front().reason,
             StartsWith("its SHA-256 is ") && Contains("the manifest expects " + digest));
  CHECK(catalog.entries().front().library == nullptr);
}

TEST_CASE("a plugin that cannot be created is not offered, and says why") {
  Deployment deployment;
  deployment.install(testPlugin("configured"), "configured.so");
  hearth::host::CatalogLook look;
  look.create = [](const CatalogEntry&) -> hearth::host::PluginInstancePtr {
    throw hearth::host::LoadError("create failed: no python");
  };
  const PluginCatalog catalog(deployment.plugins(), deployment.manifests(), {}, look);
  CHECK(catalog.kinds().empty());
  CHECK(catalog.find("conf") == nullptr);
  CHECK(catalog.find("confy") == nullptr);
  CHECK(catalog.entries().front().reason == "create failed: no python");
  CHECK(catalog.whyNot("conf") == "plugin configured is refused: create failed: no python");
  CHECK_FALSE(catalog.entries().front().loaded);
}
