// Echo's own test: the plugin's table, driven by the kit's fake host; no Hearth is needed.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <hearth/kit/fake_host.hpp>

namespace kit = hearth::kit;

TEST_CASE("a statement is answered with its own text") {
  kit::FakeHost host;
  const kit::FakeInstance instance(*hearth_plugin_v1(), host.table());
  kit::FakeSession session(instance, host, 1);
  REQUIRE(session.launch());
  REQUIRE(host.states.size() == 1);
  CHECK(host.states[0].state == HEARTH_IDLE);

  REQUIRE(session.execute(1, "say \"hello\""));
  REQUIRE(host.dones.size() == 1);
  CHECK(host.dones[0].outcome == HEARTH_DONE_OK);
  CHECK(host.dones[0].bundle == R"({"text/plain":"say \"hello\""})");
}

TEST_CASE("slow waits by the host's timer, and an interrupt ends it") {
  kit::FakeHost host;
  const kit::FakeInstance instance(*hearth_plugin_v1(), host.table());
  kit::FakeSession session(instance, host, 1);
  REQUIRE(session.launch());

  REQUIRE(session.execute(1, "slow 60"));
  session.advance(59999);  // the kit's clock moves only here
  CHECK(host.dones.empty());
  SECTION("in time") {
    session.advance(1);
    REQUIRE(host.dones.size() == 1);
    CHECK(host.dones[0].outcome == HEARTH_DONE_OK);
  }
  SECTION("interrupted") {
    REQUIRE(session.interrupt(1));
    REQUIRE(host.dones.size() == 1);
    CHECK(host.dones[0].outcome == HEARTH_DONE_CANCELLED);
  }
}

TEST_CASE("a host that gives no timer is told why the statement is refused") {
  kit::FakeHost host;
  const kit::FakeInstance instance(*hearth_plugin_v1(), host.table());
  kit::FakeSession session(instance, host, 1);
  REQUIRE(session.launch());
  host.refuse = HEARTH_E_LIMIT;
  const kit::Answer answer = session.execute(1, "slow 60");
  CHECK_FALSE(answer);
  CHECK(answer.message == "the host gave no timer");
  CHECK(host.dones.empty());
}
