// The sql plugin against a fake host: what it asks the driver for.
#include <catch2/catch.hpp>
#include <hearth/kit/fake_host.hpp>
#include <string>

#include "LinkFrames.h"

using hearth::kit::FakeHost;
using hearth::kit::FakeInstance;
using hearth::kit::FakeSession;
namespace frames = hearth::spark::frames;

namespace {

struct Opened {
  explicit Opened(const std::string& conf = "{}",
                  const std::string& config = R"({"max_rows":1000})")
      : instance(*hearth_plugin_v1(), host.table(), config),
        session(instance, host, 5,
                {"7", "sql", "", R"({"request":{"conf":)" + conf + "}}", "{}", ""}) {
    REQUIRE(session.launch());
  }
  std::string opening() const { return host.channels.at(0).json; }

  FakeHost host;
  FakeInstance instance;
  FakeSession session;
};

}  // namespace

TEST_CASE("the driver's own SQL interpreter is asked for, with the most specific limit of rows") {
  CHECK(Opened().opening() == R"({"interpreter":"sql","maxRows":1000})");
  CHECK(Opened("{}", R"({"max_rows":20})").opening() == R"({"interpreter":"sql","maxRows":20})");
  CHECK(Opened(R"({"livy.rsc.sql.num-rows":"7"})").opening() ==
        R"({"interpreter":"sql","maxRows":7})");
  CHECK(Opened(R"({"livy.rsc.sql.num-rows":"7","spark.hearth.sql.maxRows":"8"})").opening() ==
        R"({"interpreter":"sql","maxRows":8})");
}

TEST_CASE("a limit that is no number is refused with its name") {
  for (const char* bad : {"0", "-1", "ten", "10x", "99999999999999999999"})
    CHECK_THROWS_WITH(Opened(std::string(R"({"livy.rsc.sql.num-rows":")") + bad + "\"}"),
                      Catch::Contains("livy.rsc.sql.num-rows is no number from 1 to 10000000"));
  CHECK_THROWS_WITH(Opened("{}", R"({"max_rows":0})"), Catch::Contains("max_rows is no number"));
}

TEST_CASE("a statement's options go with its code, and plain code goes alone") {
  Opened s;
  CHECK(s.session.execute(1, "select 1"));
  CHECK(s.session.execute(2, "select \"2\"", R"({"maxRows":5})"));
  REQUIRE(s.host.sent.size() == 2);
  CHECK(s.host.sent[0].type == frames::execute);
  CHECK(s.host.sent[0].outcome == 0);
  CHECK(s.host.sent[0].payload == "select 1");
  CHECK(s.host.sent[1].type == frames::execute);
  CHECK(s.host.sent[1].outcome == frames::withOptions);
  CHECK(s.host.sent[1].payload == R"({"code":"select \"2\"","options":{"maxRows":5}})");
}
