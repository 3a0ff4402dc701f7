// plugin.hpp: what a plugin in C++ throws never reaches the host, and what it asks for does.
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <hearth/kit/fake_host.hpp>
#include <hearth/plugin.hpp>
#include <stdexcept>

#include "abi/Support.h"
#include "plugin/PluginLibrary.h"

using Catch::Matchers::Contains;
using hearth::host::PluginLibrary;
using hearth::kit::FakeHost;
using hearth::kit::FakeInstance;
using hearth::kit::FakeSession;
using hearth::test::Deployment;

TEST_CASE("an exception in a plugin is a status and a text to the host") {
  Deployment deployment;
  const PluginLibrary library(
      deployment.install(hearth::test::testPlugin("throwing"), "throwing.so"));
  FakeHost host;
  CHECK_THROWS_WITH(FakeInstance(library.table(), host.table(), R"({"refuse":1})"),
                    "create failed: this configuration is refused");
  const FakeInstance instance(library.table(), host.table());
  FakeSession::Options refused;
  refused.kind = "refuse";
  CHECK_THROWS_WITH(FakeSession(instance, host, 1, refused), "open failed: kind refuse is refused");

  FakeSession session(instance, host, 1);
  const auto check = [](const hearth::kit::Answer& answer, hearth_status status, const char* text) {
    CHECK(answer.status == status);
    CHECK(answer.message == text);
  };
  check(session.launch(), HEARTH_E_INTERNAL, "launch failed");
  check(session.execute(1, "full"), HEARTH_E_LIMIT, "full");
  check(session.execute(1, "int"), HEARTH_E_INTERNAL, "an exception that is no std::exception");
  check(session.execute(1, "memory"), HEARTH_E_INTERNAL, "std::bad_alloc");
  check(session.execute(1, "ok"), HEARTH_E_INTERNAL, "an error that claims to be none");
  check(session.interrupt(1), HEARTH_E_STATE, "not now");
  check(session.complete(1, "x", 1), HEARTH_E_INTERNAL, "an exception that is no std::exception");
  check(session.exportDriver(1), HEARTH_E_IO, "no driver");
  CHECK(host.lines.empty());
}

TEST_CASE("an exception in an event is a line in the session's log") {
  Deployment deployment;
  const PluginLibrary library(
      deployment.install(hearth::test::testPlugin("throwing"), "throwing.so"));
  FakeHost host;
  const FakeInstance instance(library.table(), host.table());
  FakeSession session(instance, host, 42);
  session.line(1, HEARTH_STDOUT, "seven");
  session.exit(1, 0, 0);
  session.frame(2, 33, 1, "x");
  session.channel(2, HEARTH_CHAN_UP);
  library.table().on_timer(session.self(), 5);
  session.close();
  std::vector<std::string> texts;
  for (const auto& line : host.lines) {
    CHECK(line.session == 42);
    CHECK(line.level == HEARTH_LOG_ERROR);
    texts.push_back(line.text);
  }
  CHECK(texts == std::vector<std::string>{
                     "plugin misbehaving: onLine threw: in line seven",
                     "plugin misbehaving: onExit threw: an exception that is no std::exception",
                     "plugin misbehaving: onFrame threw: in frame of type 33",
                     "plugin misbehaving: onFrame threw: in frame of type 0",
                     "plugin misbehaving: onTimer threw: in timer",
                     "plugin misbehaving: close threw: in close"});
}

TEST_CASE("a reason longer than the caller's buffer is cut, ended, and still UTF-8") {
  const std::string text = "abc\u00e9";  // the last character is two bytes
  char buffer[8];
  const auto cut = [&](std::uint32_t capacity) {
    std::fill(std::begin(buffer), std::end(buffer), '#');
    hearth_error err{HEARTH_OK, capacity, buffer};
    CHECK(hearth::fail(&err, HEARTH_E_IO, text) == HEARTH_E_IO);
    CHECK(err.code == HEARTH_E_IO);
    return std::string(buffer, sizeof buffer);
  };
  using namespace std::string_literals;
  CHECK(cut(8) == "abc\u00e9\0##"s);
  CHECK(cut(6) == "abc\u00e9\0##"s);
  CHECK(cut(5) == "abc\0####"s);
  CHECK(cut(4) == "abc\0####"s);
  CHECK(cut(1) == "\0#######"s);
  CHECK(cut(0) == "########"s);
  CHECK(hearth::fail(nullptr, HEARTH_E_IO, text) == HEARTH_E_IO);
}

TEST_CASE("a quoted text is JSON that says the same text") {
  std::string all;
  for (int c = 0; c < 0x80; ++c) all += static_cast<char>(c);
  all += "\u00e9\u2028\U0001F525";
  const auto parsed = boost::json::parse(hearth::quoted(all));
  CHECK(std::string(parsed.as_string()) == all);
  CHECK(hearth::quoted("") == "\"\"");
  CHECK(hearth::quoted("a\nb\x01") == R"("a\nb\u0001")");
}

namespace {

/// Uses every helper, to see that each reaches the right slot with the right arguments.
class Busy final : public hearth::Session, public hearth::Leader {
 public:
  using hearth::Session::Session;
  void launch() override {
    const auto link = offer("{}");
    channel = link.channel;
    process = spawn({"prog", "--link", link.linkFile}, {"A=b"}, HEARTH_SPAWN_LINES, "/tmp");
    write(process, "stdin");
    send(channel, 16, 3, "code", 2);
    save("blob");
    log(HEARTH_LOG_WARN, args().user + " in " + config());
    joined = join(R"({"argv":[]})");
  }
  void execute(std::uint64_t statement, std::string_view, std::string_view) override {
    output(statement, HEARTH_STDERR, "err");
    progress(statement, 0.5);
    signal(process, 2);
  }
  void exportDriver(std::uint64_t request) override {
    reply(request, HEARTH_OK, args().driverJson);
  }
  void onFrame(hearth_chan_h from, std::int32_t event, const hearth::Frame& frame) override {
    if (event == HEARTH_CHAN_FRAME) done(frame.statement, frame.outcome, frame.payload);
    if (event == HEARTH_CHAN_DOWN) closeChannel(from);
  }
  void close(std::int32_t) override { state(HEARTH_CLOSED, R"({"reason":"r"})"); }

  hearth_chan_h channel = 0, joined = 0;
  hearth_proc_h process = 0;
};

/// Counts what all its sessions run.
class Counter final : public hearth::Instance {
 public:
  using hearth::Instance::Instance;
  int launched = 0;
};

class Counted final : public hearth::Session {
 public:
  Counted(Counter& counter, hearth::Host host, hearth_session_h handle, const hearth_open& open,
          const std::string& config)
      : Session(host, handle, open, config), counter_(counter) {}
  void launch() override {
    ++counter_.launched;
    log(HEARTH_LOG_INFO, std::to_string(counter_.launched));
  }
  void execute(std::uint64_t, std::string_view, std::string_view) override {}
  void close(std::int32_t) override {}

 private:
  Counter& counter_;
};

}  // namespace

TEST_CASE("every call of a C++ session reaches the host") {
  static constexpr auto table = hearth::Glue<Busy>::table("{}");
  CHECK(table.interrupt == nullptr);
  CHECK(table.complete == nullptr);
  CHECK(table.export_driver != nullptr);
  FakeHost host;
  host.linkFile = "/run/link.json";
  const FakeInstance instance(table, host.table(), R"({"k":1})");
  FakeSession::Options options;
  options.user = "ann";
  options.driverJson = R"({"port":1})";
  FakeSession session(instance, host, 8, options);
  REQUIRE(session.launch());
  REQUIRE(host.channels.size() == 2);
  const auto& busy = *reinterpret_cast<Busy*>(session.self());
  CHECK(host.channels[0].channel == busy.channel);
  CHECK(host.channels[1].channel == busy.joined);
  CHECK(host.channels[1].json == R"({"argv":[]})");
  REQUIRE(host.spawns.size() == 1);
  CHECK(host.spawns[0].session == 8);
  CHECK(host.spawns[0].argv == std::vector<std::string>{"prog", "--link", "/run/link.json"});
  CHECK(host.spawns[0].env == std::vector<std::string>{"A=b"});
  CHECK(host.spawns[0].flags == HEARTH_SPAWN_LINES);
  CHECK(host.spawns[0].cwd == "/tmp");
  REQUIRE(host.writes.size() == 1);
  CHECK(host.writes[0].bytes == "stdin");
  CHECK(host.writes[0].process == busy.process);
  REQUIRE(host.sent.size() == 1);
  CHECK(host.sent[0].channel == busy.channel);
  CHECK(host.sent[0].type == 16);
  CHECK(host.sent[0].outcome == 2);
  CHECK(host.sent[0].statement == 3);
  CHECK(host.sent[0].payload == "code");
  CHECK(host.saved == std::vector<std::string>{"blob"});
  REQUIRE(host.lines.size() == 1);
  CHECK(host.lines[0].text == R"(ann in {"k":1})");

  REQUIRE(session.execute(3, "x"));
  REQUIRE(host.outputs.size() == 1);
  CHECK(host.outputs[0].stream == HEARTH_STDERR);
  REQUIRE(host.progresses.size() == 1);
  CHECK(host.progresses[0].fraction == 0.5);
  REQUIRE(host.signals.size() == 1);
  CHECK(host.signals[0].signo == 2);
  session.frame(busy.channel, 35, 3, R"({"a":1})", HEARTH_DONE_INCOMPLETE);
  REQUIRE(host.dones.size() == 1);
  CHECK(host.dones[0].outcome == HEARTH_DONE_INCOMPLETE);
  CHECK(host.dones[0].bundle == R"({"a":1})");
  session.channel(busy.channel, HEARTH_CHAN_DOWN);
  CHECK(host.closedChannels == std::vector<hearth_chan_h>{busy.channel});
  REQUIRE(session.exportDriver(6));
  REQUIRE(host.replies.size() == 1);
  CHECK(host.replies[0].json == R"({"port":1})");
  session.close();
  CHECK(host.states.back().detail == R"({"reason":"r"})");
}

TEST_CASE("a refusal of the host reaches the caller of the plugin with its reason") {
  static constexpr auto table = hearth::Glue<Busy>::table("{}");
  FakeHost host;
  host.refuse = HEARTH_E_LIMIT;
  const FakeInstance instance(table, host.table());
  FakeSession session(instance, host, 8);
  const auto answer = session.launch();
  CHECK(answer.status == HEARTH_E_LIMIT);
  CHECK(answer.message == "the fake host refuses");
}

TEST_CASE("sessions of one instance can share what is in it") {
  static constexpr auto table = hearth::Glue<Counted, Counter>::table("{}");
  FakeHost host;
  const FakeInstance instance(table, host.table());
  FakeSession one(instance, host, 1);
  FakeSession two(instance, host, 2);
  CHECK(one.launch());
  CHECK(two.launch());
  REQUIRE(host.lines.size() == 2);
  CHECK(host.lines[1].text == "2");
}
