#include <catch2/catch.hpp>
#include <chrono>
#include <limits>
#include <string>

#include "config/Settings.h"
#include "support/FileContent.h"
#include "support/JsonWriter.h"
#include "support/Nearest.h"
#include "support/Time.h"

using namespace hearth::host;
using namespace std::chrono_literals;

TEST_CASE("written JSON has its commas and escapes") {
  JsonWriter out;
  out.beginObject().key("a\"b").string("line\nend\x01\\").key("list").beginArray();
  out.integer(-1).number(1).number(0.25).null().boolean(true).raw("{\"x\":[]}").endArray();
  out.key("empty").beginObject().endObject().key("none").stringOrNull("").endObject();
  CHECK(out.take() ==
        R"({"a\"b":"line\nend\u0001\\","list":[-1,1.0,0.25,null,true,{"x":[]}],"empty":{},"none":null})");
}

TEST_CASE("a number that JSON does not have becomes null") {
  JsonWriter out;
  out.beginArray().number(std::numeric_limits<double>::quiet_NaN());
  out.number(std::numeric_limits<double>::infinity()).endArray();
  CHECK(out.take() == "[null,null]");
}

TEST_CASE("durations are read in Livy's units") {
  CHECK(parseDuration("100") == 100ms);
  CHECK(parseDuration("1h") == 1h);
  CHECK(parseDuration("90min") == 90min);
  CHECK(parseDuration("2d") == 48h);
  CHECK(parseDuration("30", 1s) == 30s);
  for (const char* bad : {"", "soon", "-1s", "1 s", "1w", "s", "99999999999d", "1.5h"}) {
    INFO(bad);
    CHECK_FALSE(parseDuration(bad));
  }
}

TEST_CASE("a mistyped name gets a hint, a strange one none") {
  CHECK(nearest("serverport", {"server.port", "server.host"}) == "server.port");
  CHECK(nearest("zzzzzzzz", {"server.port", "server.host"}).empty());
}

TEST_CASE("an unknown configuration key is refused and the nearest is named") {
  Settings settings;
  CHECK_THROWS_WITH(settings.set("server.prot", "1", "test"),
                    Catch::Contains("server.prot") && Catch::Contains("server.port"));
}

TEST_CASE("a bad configuration value says what is wanted and where it stands") {
  Settings settings;
  CHECK_THROWS_WITH(settings.set("server.port", "http", "file x"),
                    Catch::Contains("file x") && Catch::Contains("whole number"));
  CHECK_THROWS_AS(settings.set("cancel.restart", "maybe", "x"), SettingsError);
  CHECK_THROWS_AS(settings.set("cancel.grace", "soon", "x"), SettingsError);
  CHECK_THROWS_AS(settings.set("server.body_bytes", "99999999999g", "x"), SettingsError);
}

TEST_CASE("configuration remembers where each value is from") {
  Settings settings;
  const char* environment[] = {"HEARTH_SERVER_PORT=9000", "HEARTH_OTHER=1", "PATH=/bin", nullptr};
  settings.loadEnvironment(environment);
  CHECK(settings.number("server.port") == 9000);
  CHECK(settings.value("server.port").origin == "environment HEARTH_SERVER_PORT");
  CHECK(settings.value("server.host").origin == "default");
  CHECK(settings.size("server.body_bytes") == 64u << 20);
}

TEST_CASE("every default is a value of its own type") {
  Settings settings;
  for (const SettingKey& key : Settings::keys())
    CHECK_NOTHROW(settings.set(key.name, key.fallback, "default"));
}

TEST_CASE("a file that opens and cannot be read is empty, and nobody is thrown at") {
  CHECK(fileContent("/proc/self/comm").size() > 1);
  CHECK(fileContent("/nowhere/at/all").empty());
  CHECK(fileContent("/proc/self/mem").empty());  // EIO, as of a process that has ended ESRCH
  CHECK(fileContent("/proc").empty());
}
