// The sparkr plugin against a fake host: how it has the R worker started, and what it passes on.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <hearth/kit/fake_host.hpp>
#include <string>

#include "LinkFrames.h"

using hearth::kit::FakeHost;
using hearth::kit::FakeInstance;
using hearth::kit::FakeSession;
namespace frames = hearth::spark::frames;
namespace json = boost::json;

namespace {

struct Opened {
  explicit Opened(const std::string& conf = "{}", const std::string& config = {})
      : instance(*hearth_plugin_v1(), host.table(),
                 R"({"plugin_dir":")" PLUGIN_DIR "\"" + config + "}"),
        session(instance, host, 5,
                {"7", "sparkr", "", R"({"request":{"conf":)" + conf + "}}", "{}", ""}) {
    REQUIRE(session.launch());
    opening = json::parse(host.channels.at(0).json);
  }
  std::string env() const { return json::serialize(opening.at("env")); }
  std::string command() const { return std::string(opening.at("argv").at(0).as_string()); }

  FakeHost host;
  FakeInstance instance;
  FakeSession session;
  json::value opening;
};

}  // namespace

TEST_CASE("the driver is told how to start the worker, with all its files") {
  Opened s;
  CHECK(s.command() == "R");
  CHECK(s.opening.at("argv").at(4) == "--file={dir}/worker.R");
  CHECK(s.opening.at("attach") == "sparkr");
  CHECK(s.opening.at("interrupt") == "signal");
  CHECK(s.env() == "{}");
  for (const char* name : {"worker.R", "mainloop.R", "execution.R", "spark.R"})
    CHECK(s.opening.at("files").at(name).as_string().size() > 300);
}

TEST_CASE("R is the one that the session or the configuration names") {
  CHECK(Opened("{}", R"(,"r":"/p/R")").command() == "/p/R");
  CHECK(Opened(R"({"spark.r.shell.command":"/q/R"})", R"(,"r":"/p/R")").command() == "/q/R");
}

TEST_CASE("plain R runs only where it was allowed") {
  const std::string allowed = R"(,"allow_plain_r":true)";
  const std::string plain = R"({"HEARTH_R_PLAIN":"1"})";
  CHECK(Opened("{}", allowed).env() == plain);
  CHECK(Opened(R"({"spark.hearth.r.plain":"true"})").env() == plain);
  CHECK(Opened(R"({"spark.hearth.r.plain":"false"})", allowed).env() == "{}");
  CHECK(Opened(R"({"spark.hearth.env.TZ":"UTC"})").env() == R"({"TZ":"UTC"})");
  CHECK_THROWS_WITH(Opened(R"({"spark.hearth.r.plain":"yes"})"),
                    Catch::Contains("spark.hearth.r.plain is neither true nor false"));
}

TEST_CASE("a figure beside the result reaches the host") {
  Opened s;
  const hearth_chan_h channel = s.host.channels.at(0).channel;
  s.session.frame(channel, frames::display, 3, R"({"image/png":"x"})");
  REQUIRE(s.host.displays.size() == 1);
  CHECK(s.host.displays.at(0).statement == 3);
  CHECK(s.host.displays.at(0).bundle == R"({"image/png":"x"})");
}
