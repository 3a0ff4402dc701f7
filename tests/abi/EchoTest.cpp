// Both echoes, found by the catalog and driven through the C tables as a host does it.
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <hearth/kit/fake_host.hpp>

#include "abi/Support.h"
#include "plugin/PluginCatalog.h"

using hearth::host::PluginCatalog;
using hearth::kit::FakeHost;
using hearth::kit::FakeInstance;
using hearth::kit::FakeSession;
using hearth::test::Deployment;

namespace {

constexpr hearth_session_h handle = 77;

class Echo {
 public:
  explicit Echo(const std::string& kind) : kind_(kind) {
    deployment_.install(hearth::test::echoCpp(), "echo.so");
    deployment_.install(hearth::test::echoC(), "echoc.so");
    catalog_ = std::make_unique<PluginCatalog>(deployment_.plugins(), deployment_.manifests());
    const auto* entry = catalog_->find(kind);
    REQUIRE(entry != nullptr);
    table_ = entry->table;
  }
  const hearth_plugin& table() const { return *table_; }

  /// Creates an instance under `host`, the table of which may be changed before.
  void start(FakeHost& host, const hearth_host& table) {
    instance_ = std::make_unique<FakeInstance>(*table_, table);
    FakeSession::Options options;
    options.kind = kind_;
    session_ = std::make_unique<FakeSession>(*instance_, host, handle, options);
  }
  FakeSession& session() { return *session_; }

 private:
  Deployment deployment_;
  std::string kind_;
  std::unique_ptr<PluginCatalog> catalog_;
  const hearth_plugin* table_ = nullptr;
  std::unique_ptr<FakeInstance> instance_;
  std::unique_ptr<FakeSession> session_;
};

template <class Slot>
void poison(Slot& slot) {
  slot = reinterpret_cast<Slot>(std::uintptr_t{0xDEAD});
}

}  // namespace

TEST_CASE("echo does what its words say, in both languages") {
  const auto kind = GENERATE(std::string("echo"), std::string("echoc"));
  INFO(kind);
  FakeHost host;
  Echo echo(kind);
  echo.start(host, host.table());
  auto& session = echo.session();
  REQUIRE(session.launch());
  REQUIRE(host.states.size() == 1);
  CHECK(host.states[0].session == handle);
  CHECK(host.states[0].state == HEARTH_IDLE);

  SECTION("any text is answered with itself, whatever is in it") {
    const std::string code = "quote \" slash \\ tab \t line\n bell \a grüße 火 \xF0\x9F\x94\xA5";
    CHECK(session.execute(1, code));
    CHECK(session.execute(2, ""));
    REQUIRE(host.dones.size() == 2);
    CHECK(host.dones[0].statement == 1);
    CHECK(host.dones[0].outcome == HEARTH_DONE_OK);
    const auto bundle = boost::json::parse(host.dones[0].bundle);
    CHECK(std::string(bundle.at("text/plain").as_string()) == code);
    CHECK(host.dones[1].bundle == R"({"text/plain":""})");
  }
  SECTION("fail is an error") {
    CHECK(session.execute(1, "fail"));
    REQUIRE(host.dones.size() == 1);
    CHECK(host.dones[0].outcome == HEARTH_DONE_ERROR);
    CHECK(boost::json::parse(host.dones[0].bundle).at("ename").as_string() == "EchoError");
  }
  SECTION("throw is a refusal, and the session goes on") {
    const auto answer = session.execute(1, "throw");
    CHECK(answer.status == HEARTH_E_INVALID);
    CHECK(answer.message == "asked to throw");
    CHECK(host.dones.empty());
    CHECK(session.execute(2, "x"));
    CHECK(host.dones.size() == 1);
  }
  SECTION("print and lines print before they end") {
    CHECK(session.execute(1, "print hello"));
    std::string printed;
    for (const auto& out : host.outputs) printed += out.text;
    CHECK(printed == "hello\n");
    host.outputs.clear();
    CHECK(session.execute(2, "lines 3"));
    REQUIRE(host.outputs.size() == 3);
    CHECK(host.outputs[2].text == "line 3\n");
    CHECK(host.outputs[2].statement == 2);
    CHECK(host.outputs[2].stream == HEARTH_STDOUT);
    CHECK(session.execute(3, "lines many").status == HEARTH_E_INVALID);
    REQUIRE(host.dones.size() == 2);
    CHECK(host.dones[0].bundle == R"({"text/plain":"hello"})");
  }
  SECTION("slow ends when its time is over, and not before") {
    CHECK(session.execute(1, "slow 1.5"));
    session.advance(1499);
    CHECK(host.dones.empty());
    CHECK(session.execute(2, "x").status == HEARTH_E_STATE);
    session.advance(1);
    REQUIRE(host.dones.size() == 1);
    CHECK(host.dones[0].outcome == HEARTH_DONE_OK);
    CHECK(host.dones[0].bundle == R"({"text/plain":"slow 1.5"})");
    CHECK(session.execute(3, "slow 1e999").status == HEARTH_E_INVALID);
    CHECK(session.execute(4, "slow -1").status == HEARTH_E_INVALID);
    CHECK(session.execute(5, "slow ").status == HEARTH_E_INVALID);
  }
  SECTION("an interrupted statement is cancelled once, and its old timer does not end the next") {
    CHECK(session.execute(1, "slow 10"));
    CHECK(session.interrupt(9));
    CHECK(host.dones.empty());
    CHECK(session.interrupt(1));
    REQUIRE(host.dones.size() == 1);
    CHECK(host.dones[0].outcome == HEARTH_DONE_CANCELLED);
    CHECK(session.execute(2, "slow 20"));
    session.advance(10000);
    CHECK(host.dones.size() == 1);
    session.advance(10000);
    REQUIRE(host.dones.size() == 2);
    CHECK(host.dones[1].statement == 2);
    CHECK(session.interrupt(2));
    CHECK(host.dones.size() == 2);
  }
  SECTION("hang ignores interrupt, and close ends it") {
    CHECK(session.execute(1, "hang"));
    CHECK(session.interrupt(1));
    session.advance(1000000);
    CHECK(host.dones.empty());
    session.close(HEARTH_CLOSE_KILL);
    REQUIRE(host.dones.size() == 1);
    CHECK(host.dones[0].outcome == HEARTH_DONE_LOST);
    CHECK(host.states.back().state == HEARTH_CLOSED);
  }
  SECTION("die loses its statement and says so") {
    CHECK(session.execute(1, "die"));
    REQUIRE(host.dones.size() == 1);
    CHECK(host.dones[0].outcome == HEARTH_DONE_LOST);
    CHECK(host.states.back().state == HEARTH_DEAD);
  }
  SECTION("completion offers what begins with the code") {
    CHECK(session.complete(5, "pri\"", 4));
    REQUIRE(host.replies.size() == 1);
    CHECK(host.replies[0].request == 5);
    CHECK(host.replies[0].status == HEARTH_OK);
    const auto reply = boost::json::parse(host.replies[0].json);
    const auto& candidates = reply.at("candidates").as_array();
    REQUIRE_FALSE(candidates.empty());
    for (const auto& candidate : candidates)
      CHECK(std::string_view(candidate.as_string()).substr(0, 4) == "pri\"");
  }
  SECTION("close is answered") {
    session.close();
    CHECK(host.states.back().state == HEARTH_CLOSED);
  }
}

TEST_CASE("an ability that a plugin lacks is an empty slot") {
  CHECK(Echo("echo").table().export_driver == nullptr);
  CHECK(Echo("echo").table().interrupt != nullptr);
  CHECK(Echo("echoc").table().export_driver == nullptr);
  CHECK(Echo("echoc").table().on_proc_line == nullptr);
}

TEST_CASE("a session may be released in any state") {
  const auto kind = GENERATE(std::string("echo"), std::string("echoc"));
  const auto code = GENERATE(std::string(), std::string("slow 5"), std::string("hang"));
  FakeHost host;
  Echo echo(kind);
  echo.start(host, host.table());
  if (!code.empty()) {
    CHECK(echo.session().launch());
    CHECK(echo.session().execute(1, code));
  }
}

TEST_CASE("an older host runs a newer plugin, as far as it goes") {
  const auto kind = GENERATE(std::string("echo"), std::string("echoc"));
  INFO(kind);
  FakeHost host;
  Echo echo(kind);

  SECTION("without timers: slow is refused, the rest works") {
    host.table().struct_size = offsetof(hearth_host, timer);
    poison(host.table().timer);
    echo.start(host, host.table());
    CHECK(echo.session().launch());
    const auto answer = echo.session().execute(1, "slow 1");
    CHECK(answer.status == HEARTH_E_UNSUPPORTED);
    CHECK(answer.message == "this host has no timer");
    CHECK(echo.session().execute(2, "print x"));
    CHECK(host.dones.size() == 1);
    CHECK_FALSE(host.outputs.empty());
  }
  SECTION("with a slot that is there and empty: the same") {
    host.table().timer = nullptr;
    echo.start(host, host.table());
    CHECK(echo.session().execute(1, "slow 1").status == HEARTH_E_UNSUPPORTED);
  }
  SECTION("without a way to end a statement: the instance is refused") {
    host.table().struct_size = offsetof(hearth_host, stmt_done);
    poison(host.table().stmt_done);
    CHECK_THROWS_WITH(echo.start(host, host.table()), Catch::Matchers::Contains("stmt_done"));
  }
}

TEST_CASE("a newer host runs an older plugin") {
  const auto kind = GENERATE(std::string("echo"), std::string("echoc"));
  INFO(kind);
  struct NewerHost {
    hearth_host base;
    void (*future[4])(void);
  };
  FakeHost host;
  NewerHost newer{host.table(), {}};
  newer.base.struct_size = sizeof newer;
  newer.base.abi_minor = 9;
  for (auto& slot : newer.future) poison(slot);
  Echo echo(kind);
  echo.start(host, newer.base);
  CHECK(echo.session().launch());
  CHECK(echo.session().execute(1, "slow 1"));
  echo.session().advance(1000);
  CHECK(host.dones.size() == 1);
}
