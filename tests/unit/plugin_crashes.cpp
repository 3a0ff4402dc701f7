#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "plugin/PluginCrashes.h"
#include "support/Time.h"
#include "temp_folder.h"

using namespace hearth::host;
using hearth::test::TempFolder;

namespace {

struct Scene {
  TempFolder folder;
  std::string library = folder.path() + "/bad.so";
  std::string note = folder.path() + "/crash.note";
  PluginCrashes crashes{folder.path() + "/crashes", {3, std::chrono::minutes(10)}};

  Scene() { write(library, "code"); }

  static void write(const std::string& file, const std::string& text) {
    std::ofstream(file, std::ios::trunc) << text;
  }

  std::optional<LastCrash> crash(const std::string& more, std::int64_t ago = 0) {
    write(note, "hearth-crash 1\ntime " + std::to_string(nowMillis() - ago) +
                    "\nsignal SIGSEGV\nplugin bad\nversion 1.0\npath " + library + "\nfile " +
                    fileMark(library) + "\nkinds one two\n" + more + "frame " + library +
                    "+0x10\nend\n");
    return crashes.take(note);
  }
};

}  // namespace

TEST_CASE("A crash note tells the plugin, where it was and for whom") {
  const auto report = CrashReport::parse(
      "hearth-crash 1\nsignal SIGSEGV\naddress 0x8\nplugin spark\nversion 1.0\npath /p/spark.so\n"
      "where call\nslot execute\nsession 7\nstatement 3\nframe /p/spark.so+0x10\n");
  REQUIRE(report);
  CHECK(report->summary() == "SIGSEGV in plugin spark 1.0 (/p/spark.so), execute, session 7");
  CHECK(report->statement == 3);
  CHECK(report->frames == std::vector<std::string>{"/p/spark.so+0x10"});
}

TEST_CASE("A note that was cut short says what it has, and an empty one is none") {
  CHECK_FALSE(CrashReport::parse(""));
  CHECK_FALSE(CrashReport::parse("something else\n"));
  const auto report = CrashReport::parse("hearth-crash 1\nsignal SIGBUS\nplug");
  REQUIRE(report);
  CHECK(report->summary() == "SIGBUS in the host itself");
}

TEST_CASE("A crash is told once, and remembered") {
  Scene scene;
  CHECK_FALSE(scene.crashes.take(scene.note));
  const auto last = scene.crash("where call\nslot execute\nsession 7\nstatement 3\n");
  REQUIRE(last);
  CHECK(last->session == 7);
  CHECK(last->ofSession == 1);
  CHECK_FALSE(scene.crashes.take(scene.note));
  REQUIRE(scene.crashes.last("bad"));
  CHECK(scene.crashes.last("bad")->slot == "execute");
  CHECK_FALSE(scene.crashes.last("good"));
  CHECK(scene.crashes.barred("bad", scene.library).empty());
  CHECK(scene.crash("where call\nslot on_timer\nsession 7\n")->ofSession == 2);
}

TEST_CASE("Too many crashes in a while are a quarantine, until it is released or replaced") {
  Scene scene;
  for (int i = 0; i < 3; ++i) scene.crash("where call\nslot execute\nsession 7\n");
  CHECK(scene.crashes.barred("bad", scene.library).find("3 times") != std::string::npos);
  CHECK(scene.crashes.barred("other", scene.library).empty());
  CHECK(scene.crashes.whyNoKind("two:x").find("bad") != std::string::npos);
  CHECK(scene.crashes.whyNoKind("three").empty());
  SECTION("released") {
    CHECK(scene.crashes.release("bad"));
    CHECK_FALSE(scene.crashes.release("bad"));
  }
  SECTION("replaced") {
    Scene::write(scene.library, "better code");
  }
  CHECK(scene.crashes.barred("bad", scene.library).empty());
  CHECK(scene.crashes.whyNoKind("two").empty());
  scene.crash("where call\nslot execute\nsession 7\n");
  CHECK(scene.crashes.barred("bad", scene.library).empty());  // it begins anew
}

TEST_CASE("Crashes that lie far apart are no quarantine") {
  Scene scene;
  for (const int minutes : {60, 40, 20, 1})
    scene.crash("where call\nslot execute\n", minutes * 60000);
  CHECK(scene.crashes.barred("bad", scene.library).empty());
}

TEST_CASE("One crash is enough where the host could not come up for it") {
  Scene scene;
  scene.crash("where call\nslot create\ntakeup 1\n");
  CHECK_FALSE(scene.crashes.barred("bad", scene.library).empty());
}

TEST_CASE("A crash on a thread of the plugin's own counts for all instances of its file") {
  Scene scene;
  for (int i = 0; i < 3; ++i) scene.crash("where thread\n");
  CHECK_FALSE(scene.crashes.barred("another", scene.library).empty());
}

TEST_CASE("A crash of the host itself puts nobody in quarantine") {
  Scene scene;
  for (int i = 0; i < 5; ++i) {
    Scene::write(scene.note, "hearth-crash 1\nsignal SIGSEGV\nend\n");
    CHECK(scene.crashes.take(scene.note)->text == "SIGSEGV in the host itself");
  }
  CHECK(scene.crashes.barred("", "").empty());
}
