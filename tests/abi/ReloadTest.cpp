// What a running host makes of plugins that come, change and go.
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "abi/Support.h"
#include "plugin/InstanceRules.h"
#include "plugin/PluginCatalog.h"
#include "plugin/PluginInstance.h"

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using hearth::host::CatalogEntry;
using hearth::host::CatalogLook;
using hearth::host::LoadError;
using hearth::host::PluginCatalog;
using hearth::host::PluginInstance;
using hearth::host::PluginInstancePtr;
using hearth::host::PluginLibrary;
using hearth::test::Deployment;
using hearth::test::echoC;
using hearth::test::echoCpp;
using hearth::test::testPlugin;
namespace fs = std::filesystem;

namespace {

/// A deployment that is looked at again and again.
class Running {
 public:
  const PluginCatalog& look(bool again = false) {
    CatalogLook how;
    how.before = now_.get();
    how.again = again;
    how.isUnfinished = [this](const fs::path& file) {
      if (asked && file.extension() == ".so") asked(file);
      return unfinished.count(file) != 0;
    };
    how.create = [this](const CatalogEntry& entry) {
      ++created;
      if (!failure.empty()) throw LoadError(failure);
      auto made = std::make_shared<PluginInstance>();
      made->entry = std::make_shared<const CatalogEntry>(entry);
      return PluginInstancePtr(made);
    };
    now_ = std::make_shared<const PluginCatalog>(folders.plugins(), folders.manifests(),
                                                 PluginCatalog::Fallbacks{}, how);
    return *now_;
  }
  /// Puts a library there as an installation does: by a rename.
  fs::path put(const fs::path& library, const std::string& as) {
    const auto made = folders.install(library, "." + as + ".new");
    fs::rename(made, folders.plugins() / as);
    return folders.plugins() / as;
  }
  std::vector<std::string> states() const {
    std::vector<std::string> all;
    for (const auto& entry : now_->entries())
      all.push_back(entry.instance + " " + entry.descriptor.version + " " + entry.state());
    return all;
  }

  Deployment folders;
  std::set<fs::path> unfinished;
  std::function<void(const fs::path&)> asked;
  std::string failure;
  int created = 0;

 private:
  std::shared_ptr<const PluginCatalog> now_;
};

using States = std::vector<std::string>;

}  // namespace

TEST_CASE("a new file under an old name is loaded, not what the loader has under that name") {
  Deployment deployment;
  const auto file = deployment.install(testPlugin("versioned1"), "v.so");
  for (const char* const version : {"1", "2", "1", "2"}) {
    const auto next = deployment.install(testPlugin(std::string("versioned") + version), "next.so");
    fs::rename(next, file);
    const PluginLibrary library(file);
    CHECK(library.descriptor().version == version);
    CHECK(library.path() == file);
  }
}

TEST_CASE("a plugin that is written over where it lies is refused: its code is in use") {
  Running running;
  const auto file = running.put(testPlugin("versioned1"), "v.so");
  running.look();
  // Longer by a byte, with the same code: another would crash this process.
  std::ofstream(file, std::ios::binary | std::ios::app) << "x";
  running.look();
  CHECK(running.states() == States{"v  refused", "v 1 loaded"});
}

TEST_CASE("a file that is touched, or put there once more as it was, is no new version") {
  Running running;
  const auto file = running.put(testPlugin("versioned1"), "v.so");
  const auto first = running.look().find("versioned")->live;
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(5));
  CHECK(running.look().find("versioned")->live == first);
  running.put(testPlugin("versioned1"), "v.so");
  CHECK(running.look().find("versioned")->live == first);
  CHECK(running.created == 1);
}

TEST_CASE("a plugin that is put there while the host runs is served") {
  Running running;
  CHECK(running.look().kinds().empty());
  running.put(echoC(), "echoc.so");
  CHECK(running.look().kinds() == States{"echoc"});
  fs::create_directory(running.folders.root() / "outside");
  fs::rename(running.folders.install(echoCpp(), "x.so"), running.folders.root() / "outside/e.so");
  fs::rename(running.folders.root() / "outside", running.folders.plugins() / "inside");
  CHECK(running.look().kinds() == States{"echo", "echoc"});
  CHECK(running.created == 2);
}

TEST_CASE("a newer version serves, the older one lives until nobody uses it any more") {
  Running running;
  running.put(testPlugin("versioned1"), "v.so");
  PluginInstancePtr session = running.look().find("versioned")->live;
  running.put(testPlugin("versioned2"), "v.so");
  CHECK(running.look().find("versioned")->descriptor.version == "2");
  CHECK(running.states() == States{"v 2 loaded", "v 1 retiring"});
  const auto reason = running.look().entries().back().reason;
  CHECK_THAT(reason, Contains("replaced by version 2 from ") && EndsWith("/v.so"));
  session.reset();
  running.look();
  CHECK(running.states() == States{"v 2 loaded"});
}

TEST_CASE("a bad file in the place of a plugin does not take the plugin away") {
  Running running;
  const auto file = running.put(testPlugin("versioned1"), "v.so");
  const auto first = running.look().find("versioned")->live;

  running.put(testPlugin("no_symbol"), "v.so");
  CHECK(running.look().find("versioned")->live == first);
  CHECK(running.states() == States{"v  refused", "v 1 loaded"});
  CHECK_THAT(running.look().entries().front().reason, Contains("exports no hearth_plugin_v1"));

  running.put(testPlugin("versioned2"), "v.so");
  fs::permissions(file, fs::perms(0666));
  running.look();
  CHECK(running.states() == States{"v  refused", "v 1 loaded"});
  fs::permissions(file, fs::perms(0644));
  running.failure = "create failed: no python";
  running.look();
  CHECK(running.states() == States{"v 2 refused", "v 1 loaded"});

  const int tried = running.created;
  running.look();
  CHECK(running.created == tried);  // not with each thing that happens
  running.failure.clear();
  running.look(true);
  CHECK(running.states() == States{"v 2 loaded", "v 1 retiring"});
}

TEST_CASE("a bad manifest in the place of a good one does not take the plugin away") {
  Running running;
  running.put(testPlugin("versioned1"), "v.so");
  running.folders.manifest("v.json", R"({"manifest_version":1})");
  const auto first = running.look().find("versioned")->live;
  for (const char* const bad :
       {"{", R"({"manifest_version":1,"sha256":"00"})", R"({"manifest_version":1,"x":1})"}) {
    running.folders.manifest("v.json", bad);
    CHECK(running.look().find("versioned")->live == first);
    CHECK(running.states().back() == "v 1 loaded");
    CHECK_THAT(running.states().front(), EndsWith("refused"));
  }
  // A default plugin that gets a manifest which is wrong is the same plugin.
  fs::remove(running.folders.manifests() / "v.json");
  CHECK(running.look().find("versioned")->live == first);
  running.folders.manifest("v.json", "[]");
  CHECK(running.look().find("versioned")->live == first);
}

TEST_CASE("a plugin that is disabled or removed is not offered, and says which it was") {
  Running running;
  const auto file = running.put(testPlugin("versioned1"), "v.so");
  PluginInstancePtr session = running.look().find("versioned")->live;
  const auto manifest =
      running.folders.manifest("v.json", R"({"manifest_version":1,"enabled":false})");
  const PluginCatalog& disabled = running.look();
  CHECK(disabled.find("versioned") == nullptr);
  CHECK(disabled.whyNot("versioned") == "plugin v: disabled by " + manifest.string());
  CHECK(running.states() == States{"v  disabled", "v 1 retiring"});

  fs::remove(manifest);
  CHECK(running.look().find("versioned") != nullptr);
  fs::remove(file);
  const PluginCatalog& removed = running.look();
  CHECK(removed.find("versioned") == nullptr);
  CHECK(removed.whyNot("versioned") == "plugin v: " + file.string() + " was removed");
  CHECK(removed.whyNot("nothing").empty());
  session.reset();
  running.look();
  CHECK(running.states().empty());
}

TEST_CASE("a newcomer takes no kind away from who serves it") {
  Running running;
  running.put(testPlugin("versioned1"), "v.so");
  const auto first = running.look().find("versioned")->live;
  running.put(testPlugin("versioned2"), "aaa.so");
  CHECK(running.look().find("versioned")->live == first);
  CHECK(running.states() == States{"v 1 loaded", "aaa 2 refused"});
}

TEST_CASE("other limits and defaults make no other instance") {
  Running running;
  running.put(testPlugin("versioned1"), "v.so");
  const auto first = running.look().find("versioned")->live;
  running.folders.manifest("v.json", R"({"manifest_version":1,"limits":{"sessions":3},
      "defaults":{"driverMemory":"2g","conf":{"spark.x":"y"},"ttl":"1h"}})");
  const auto* entry = running.look().find("versioned");
  CHECK(entry->live == first);
  CHECK(entry->rules.sessions == 3);
  CHECK(entry->rules.defaults.driverMemory == "2g");
  CHECK(entry->rules.defaults.conf.at("spark.x") == "y");
  CHECK(entry->rules.ttl == "1h");
}

TEST_CASE("a file that is still being written is not taken half written") {
  Running running;
  const auto file = running.put(testPlugin("versioned1"), "v.so");
  const auto first = running.look().find("versioned")->live;

  SECTION("where somebody is known to write it") {
    const auto next = running.put(testPlugin("versioned2"), "v.so");
    running.unfinished.insert(next);
    CHECK(running.look().find("versioned")->live == first);
    CHECK(running.states() == States{"v 1 loaded"});
    running.unfinished.clear();
    CHECK(running.look().find("versioned")->descriptor.version == "2");
  }
  SECTION("where somebody begins to write it once it was asked for") {
    running.put(testPlugin("versioned2"), "v.so");
    int times = 0;
    running.asked = [&](const fs::path& asked) {
      ++times;
      if (times == 2) fs::resize_file(asked, 100);
      if (times > 2) running.unfinished.insert(asked);
    };
    CHECK(running.look().find("versioned")->live == first);
    CHECK(running.states() == States{"v 1 loaded"});
    CHECK(times > 2);
    running.asked = nullptr;
    running.put(testPlugin("versioned2"), "v.so");
    running.unfinished.clear();
    CHECK(running.look().find("versioned")->descriptor.version == "2");
  }
  SECTION("where it is shorter than it says itself") {
    const auto next = running.folders.install(testPlugin("versioned2"), ".next");
    fs::resize_file(next, fs::file_size(next) - 100);
    fs::rename(next, file);
    CHECK(running.look().find("versioned")->live == first);
    CHECK_THAT(running.look().entries().front().reason, Contains("not all of it has been copied"));
  }
}

TEST_CASE("a limit of an instance counts all versions of it, and each user") {
  hearth::host::InstanceLedger ledger;
  hearth::host::InstanceRules rules;
  rules.sessions = 3;
  rules.sessionsPerUser = 2;
  auto one = ledger.take("spark", "ann", rules);
  auto two = ledger.take("spark", "ann", rules);
  CHECK_THROWS_WITH(ledger.take("spark", "ann", rules),
                    "limits.sessions_per_user of plugin spark: you have 2 sessions of at most 2: "
                    "end one, or try again when one has ended");
  CHECK_NOTHROW(ledger.take("spark35", "ann", rules));
  auto three = ledger.take("spark", "bob", rules);
  CHECK_THROWS_WITH(ledger.take("spark", "eve", rules),
                    Contains("limits.sessions of plugin spark: there are 3 sessions of at most 3"));
  const auto kept = ledger.occupy("spark", "eve");  // one of an earlier run
  one.reset();
  two.reset();
  CHECK_NOTHROW(ledger.take("spark", "ann", rules));
}
