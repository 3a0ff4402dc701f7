// The plugin under a host of its own, which only writes down what it is told.
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <hearth/plugin.hpp>
#include <string>
#include <utility>
#include <vector>

#include "LinkFrames.h"

namespace frames = hearth::spark::frames;
namespace json = boost::json;
using hearth::str;
using hearth::view;

namespace {

class Recorder {
 public:
  Recorder() {
    table_.struct_size = sizeof table_;
    table_.ctx = this;
    table_.log = [](void* c, hearth_session_h, int32_t, hearth_str t) { say(c, "log", t); };
    table_.session_state = [](void* c, hearth_session_h, int32_t state, hearth_str detail) {
      say(c, "state " + std::to_string(state), detail);
    };
    table_.stmt_output = [](void* c, hearth_session_h, uint64_t n, int32_t stream, hearth_str t) {
      say(c, "output " + std::to_string(n) + " " + std::to_string(stream), t);
    };
    table_.stmt_progress = [](void* c, hearth_session_h, uint64_t n, double fraction) {
      say(c, "progress " + std::to_string(n), str(std::to_string(fraction)));
    };
    table_.stmt_done = [](void* c, hearth_session_h, uint64_t n, int32_t outcome, hearth_str b) {
      say(c, "done " + std::to_string(n) + " " + std::to_string(outcome), b);
    };
    table_.reply = [](void* c, hearth_session_h, uint64_t n, hearth_status s, hearth_str t) {
      say(c, "reply " + std::to_string(n) + " " + std::to_string(s), t);
    };
    table_.save = [](void* c, hearth_session_h, hearth_str blob, hearth_error*) {
      say(c, "save", blob);
      return hearth_status{HEARTH_OK};
    };
    table_.chan_join = [](void* c, hearth_session_h, hearth_str open, hearth_chan_h* channel,
                          hearth_error*) {
      static_cast<Recorder*>(c)->opening = view(open);
      *channel = 7;
      return hearth_status{HEARTH_OK};
    };
    table_.chan_send = [](void* c, hearth_chan_h, const hearth_frame* f, hearth_error* err) {
      if (static_cast<Recorder*>(c)->driverGone)
        return hearth::fail(err, HEARTH_E_STALE, "no driver");
      say(c, "send " + std::to_string(f->type) + " " + std::to_string(f->statement), f->payload);
      return hearth_status{HEARTH_OK};
    };
    table_.chan_close = [](void* c, hearth_chan_h) { say(c, "close", {}); };
  }

  const hearth_host* table() const { return &table_; }
  /// What was said since the last call, "what: text".
  std::vector<std::string> said() { return std::exchange(said_, {}); }

  std::string opening;
  bool driverGone = false;

 private:
  static void say(void* self, std::string what, hearth_str text) {
    static_cast<Recorder*>(self)->said_.push_back(what + ": " + std::string(view(text)));
  }

  hearth_host table_{};
  std::vector<std::string> said_;
};

using Said = std::vector<std::string>;

class Opened {
 public:
  explicit Opened(const std::string& options = "{}", const std::string& blob = {},
                  const std::string& config = R"({"python":"","plugin_dir":")" PLUGIN_DIR "\"}") {
    REQUIRE(plugin->create(host.table(), str(config), &instance, &error) == HEARTH_OK);
    hearth_open args{};
    args.struct_size = sizeof args;
    args.options_json = str(options);
    args.recovery_blob = str(blob);
    status = plugin->open(instance, 1, &args, &session, &error);
    if (status != HEARTH_OK) return;
    status = plugin->launch(session, &error);
  }
  ~Opened() {
    if (session != nullptr) plugin->release(session);
    plugin->destroy(instance);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  void event(std::int32_t what) { plugin->on_chan_frame(session, 7, what, nullptr); }
  void frame(std::uint8_t type, std::uint64_t statement, std::string_view payload,
             std::uint8_t outcome = 0) {
    const hearth_frame f{type, outcome, 0, 0, statement, str(payload)};
    plugin->on_chan_frame(session, 7, HEARTH_CHAN_FRAME, &f);
  }
  std::string interpreter() const {
    return std::string(json::parse(host.opening).at("argv").at(0).as_string());
  }

  const hearth_plugin* plugin = hearth_plugin_v1();
  Recorder host;
  hearth_instance* instance = nullptr;
  hearth_session* session = nullptr;
  hearth_status status = HEARTH_OK;
  char reason[256] = "";
  hearth_error error{HEARTH_OK, sizeof reason, reason};
};

}  // namespace

TEST_CASE("the driver is told how to start the worker, with all its files") {
  Opened s;
  const json::value open = json::parse(s.host.opening);
  CHECK(open.at("argv").at(1) == "-u");
  CHECK(open.at("argv").at(2) == "{dir}/worker.py");
  CHECK(open.at("attach") == "py4j");
  CHECK(open.at("env").at("PYTHONHASHSEED") == "0");
  for (const char* name : {"worker.py", "mainloop.py", "tables.py", "capture.py"})
    CHECK(open.at("files").at(name).as_string().size() > 300);
}

TEST_CASE("the interpreter is the most specific one that is named") {
  ::unsetenv("PYSPARK_PYTHON");
  const std::string configured = R"({"python":"/p/conf","plugin_dir":")" PLUGIN_DIR "\"}";
  CHECK(Opened().interpreter() == "python3");
  ::setenv("PYSPARK_PYTHON", "/p/env", 1);
  CHECK(Opened().interpreter() == "/p/env");
  CHECK(Opened("", "", configured).interpreter() == "/p/conf");
  CHECK(Opened(R"({"request":{"conf":{"spark.pyspark.python":"/p/req"}}})", "", configured)
            .interpreter() == "/p/req");
  CHECK(Opened(R"({"request":{"conf":{"spark.pyspark.python":"/p/req",
                   "spark.pyspark.driver.python":"/p/drv"}}})")
            .interpreter() == "/p/drv");
  ::unsetenv("PYSPARK_PYTHON");
}

TEST_CASE("a session's conf sets variables of its worker") {
  Opened s(R"({"request":{"conf":{"spark.hearth.env.TZ":"UTC","spark.other":"x"}}})");
  CHECK(json::serialize(json::parse(s.host.opening).at("env")) ==
        R"({"TZ":"UTC","PYTHONHASHSEED":"0"})");
}

TEST_CASE("options that are no use are refused with a reason") {
  Opened s(R"({"request":{"conf":{"spark.pyspark.python":5}}})");
  CHECK(s.status == HEARTH_E_INVALID);
  CHECK(std::string(s.reason) == "spark.pyspark.python is not a text");
}

TEST_CASE("an installation without the worker is refused") {
  Recorder host;
  hearth_instance* instance = nullptr;
  char reason[256] = "";
  hearth_error error{HEARTH_OK, sizeof reason, reason};
  const auto* plugin = hearth_plugin_v1();
  CHECK(plugin->create(host.table(), str(R"({"plugin_dir":"/nonexistent"})"), &instance, &error) ==
        HEARTH_E_INVALID);
  CHECK(std::string(reason) == "the Python worker is not installed in /nonexistent/repl");
}

TEST_CASE("what the worker says reaches the host") {
  Opened s;
  CHECK(s.host.said().empty());
  s.frame(frames::ready, 0, R"({"python":"3.11.2"})");
  CHECK(s.host.said() == Said{"save: {}", "state 1: "});
  s.frame(frames::output, 3, "text", 2);
  s.frame(frames::progress, 3, "0.25");
  s.frame(frames::progress, 3, "none");
  s.frame(frames::done, 3, R"({"text/plain":""})", HEARTH_DONE_CANCELLED);
  s.frame(frames::reply, 9, R"({"candidates":[]})", HEARTH_OK);
  CHECK(s.host.said() == Said{"output 3 2: text", "progress 3: 0.250000",
                              R"(done 3 2: {"text/plain":""})", R"(reply 9 0: {"candidates":[]})"});
}

TEST_CASE("what the host asks reaches the worker") {
  Opened s;
  CHECK(s.plugin->execute(s.session, 4, str("1+1"), {}, &s.error) == HEARTH_OK);
  CHECK(s.plugin->interrupt(s.session, 4, &s.error) == HEARTH_OK);
  CHECK(s.plugin->complete(s.session, 5, str("a\"\n"), 3, &s.error) == HEARTH_OK);
  CHECK(s.plugin->inspect(s.session, 6, str("a\""), 1, 1, &s.error) == HEARTH_OK);
  CHECK(s.host.said() == Said{"send 16 4: 1+1",
                              "send 17 4: ", R"(send 18 5: {"code":"a\"\n","cursor":3})",
                              R"(send 23 6: {"code":"a\"","cursor":1,"detail":1})"});
}

TEST_CASE("a worker that died is an error with its last words, and takes nothing more") {
  Opened s;
  s.frame(frames::failed, 0, R"({"reason":"exit status 3","output":"Fatal \"x\""})");
  CHECK(s.host.said() ==
        Said{R"(state 2: {"reason":"the Python worker has failed: exit status 3\nFatal \"x\""})"});
  CHECK(s.plugin->execute(s.session, 4, str("1"), {}, &s.error) == HEARTH_E_STATE);
  CHECK(s.plugin->complete(s.session, 5, str("1"), 1, &s.error) == HEARTH_E_STATE);
  s.plugin->close(s.session, HEARTH_CLOSE_GRACEFUL);
  CHECK(s.host.said() == Said{"close: "});
}

TEST_CASE("a failure whose words are garbled is a failure all the same") {
  Opened s;
  s.frame(frames::failed, 0, "{");
  CHECK(s.host.said() == Said{R"(state 2: {"reason":"the Python worker has failed"})"});
}

TEST_CASE("closing stops the worker, then the channel, then the session") {
  Opened s;
  s.plugin->close(s.session, HEARTH_CLOSE_GRACEFUL);
  CHECK(s.host.said() == Said{"send 20 0: ", "close: "});
  s.event(HEARTH_CHAN_CLOSED);
  CHECK(s.host.said() == Said{"state 4: "});
}

TEST_CASE("closing ends also when the driver is gone") {
  Opened s;
  s.host.driverGone = true;
  s.plugin->close(s.session, HEARTH_CLOSE_KILL);
  CHECK(s.host.said() == Said{"close: "});
  s.event(HEARTH_CHAN_CLOSED);
  CHECK(s.host.said() == Said{"state 4: "});
}

TEST_CASE("a host that goes down leaves the worker running") {
  Opened s;
  s.plugin->close(s.session, HEARTH_CLOSE_DETACH);
  CHECK(s.host.said() == Said{"state 4: "});
}

TEST_CASE("a link that ends by itself is the worker's death") {
  Opened s;
  s.event(HEARTH_CHAN_DOWN);
  s.event(HEARTH_CHAN_BACK);
  CHECK(s.host.said().empty());
  s.event(HEARTH_CHAN_CLOSED);
  CHECK(s.host.said() == Said{R"(state 3: {"reason":"the driver's link has ended"})"});
  CHECK(s.plugin->execute(s.session, 4, str("1"), {}, &s.error) == HEARTH_E_STATE);
}

TEST_CASE("a session that was taken up is ready when its driver is back") {
  Opened s("{}", "{}");
  s.event(HEARTH_CHAN_UP);
  CHECK(s.host.said() == Said{"state 1: "});
}
