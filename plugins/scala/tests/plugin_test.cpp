// The scala plugin against a fake host: what it starts, what it tells Spark, and what it makes of
// the driver's frames.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <hearth/kit/fake_host.hpp>
#include <hearth/plugin.hpp>
#include <iterator>

#include "LinkFrames.h"
#include "SparkSettings.h"
#include "submit/Properties.h"

using hearth::kit::FakeHost;
using hearth::kit::FakeInstance;
using hearth::kit::FakeSession;
using hearth::submit::formatProperties;
using hearth::submit::parseProperties;
using hearth::submit::Properties;
namespace frames = hearth::spark::frames;

namespace {

/// A folder with what looks like a Spark and like an installed plugin; removed with the test.
class Deployment {
 public:
  Deployment() {
    char name[] = "/tmp/hearth-scala-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("no temporary folder");
    folder = name;
    for (const char* sub : {"/bin", "/conf"}) ::mkdir((folder + sub).c_str(), 0700);
    write("/bin/spark-submit", "");
    ::chmod((folder + "/bin/spark-submit").c_str(), 0700);
    write("/hearth-driver.jar", "");
    ::unsetenv("SPARK_CONF_DIR");
    ::unsetenv("SPARK_HOME");
  }
  ~Deployment() {
    for (const char* file : {"/bin/spark-submit", "/conf/spark-defaults.conf", "/hearth-driver.jar",
                             "/driver.properties"})
      ::unlink((folder + file).c_str());
    for (const char* sub : {"/bin", "/conf", ""}) ::rmdir((folder + sub).c_str());
  }
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;

  void write(const std::string& file, const std::string& text) const {
    std::ofstream(folder + file) << text;
  }
  std::string config(const std::string& more = {}) const {
    return R"({"spark_home":")" + folder + R"(","plugin_dir":")" + folder + "\"" + more + "}";
  }
  std::string options(const std::string& request, bool prepare = true) const {
    return R"({"dir":")" + folder + R"(","prepare":)" + (prepare ? "true" : "false") +
           R"(,"request":)" + request + "}";
  }
  Properties properties() const {
    std::ifstream file(folder + "/driver.properties");
    return parseProperties(
        std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()));
  }

  std::string folder;
};

constexpr hearth_session_h handle = 5;

/// A session that was launched and whose driver has not said anything.
struct Launched {
  explicit Launched(bool prepare = true, const std::string& request = "{}",
                    const std::string& blob = {}, const std::string& config = {})
      : instance(*hearth_plugin_v1(), host.table(), deployment.config(config)),
        session(instance, host, handle,
                {"7", "spark", "ann", deployment.options(request, prepare), "", blob}) {
    REQUIRE(session.launch());
    channel = host.channels.at(0).channel;
  }

  void say(std::uint8_t type, const std::string& payload, std::uint64_t statement = 0,
           std::uint8_t outcome = 0) {
    session.frame(channel, type, statement, payload, outcome);
  }
  void connect() {
    session.channel(channel, HEARTH_CHAN_UP);
    say(frames::info, R"({"appId":"local-1","sparkUiUrl":"http://h:4040","driverLogUrl":null,)"
                      R"("sparkVersion":"4.0.0","scalaVersion":"2.13"})");
  }
  std::int32_t lastState() const { return host.states.empty() ? 0 : host.states.back().state; }
  hearth_proc_h process() const { return host.spawns.at(0).process; }

  Deployment deployment;
  FakeHost host;
  FakeInstance instance;
  FakeSession session;
  hearth_chan_h channel = 0;
};

/// A session opened with what one of an earlier run has saved, whose driver is still there.
struct TakenUp {
  explicit TakenUp(const std::string& blob)
      : instance(*hearth_plugin_v1(), host.table(), deployment.config()),
        session(instance, host, handle,
                {"7", "spark", "ann", deployment.options("{}", true), "", blob}) {
    host.adoptable = driver;
    REQUIRE(session.launch());
    channel = host.channels.at(0).channel;
  }

  static constexpr hearth_proc_h driver = 77;
  Deployment deployment;
  FakeHost host;
  FakeInstance instance;
  FakeSession session;
  hearth_chan_h channel = 0;
};

}  // namespace

TEST_CASE("settings with any character reach Spark unchanged") {
  const Properties properties = {{"spark.a b=c:d#e!f\\g", "  two  words, = : # ! \\ \"q\" 'é☃'"},
                                 {"spark.lines", "a\nb\tc\rd"},
                                 {"spark.empty", ""},
                                 {"#spark", "x\\"}};
  Properties expected = properties;
  expected["spark.a b=c:d#e!f\\g"] = "two  words, = : # ! \\ \"q\" 'é☃'";  // Spark trims values
  CHECK(parseProperties(formatProperties(properties)) == expected);
}

TEST_CASE("spark-defaults.conf is read as Spark reads it") {
  CHECK(parseProperties("# comment\n"
                        "! comment\r\n"
                        "spark.master   yarn  \n"
                        "  spark.eq = a=b\r\n"
                        "spark.colon:c\n"
                        "spark.long a,\\\n    b,\\\r\n    c\n"
                        "spark.unicode \\u00e9\\q\n"
                        "spark.alone\n"
                        "spark.master local[1]\n"
                        "spark.last end\\") == Properties{{"spark.master", "local[1]"},
                                                          {"spark.eq", "a=b"},
                                                          {"spark.colon", "c"},
                                                          {"spark.long", "a,b,c"},
                                                          {"spark.unicode", "éq"},
                                                          {"spark.alone", ""},
                                                          {"spark.last", "end\\"}});
  CHECK(parseProperties("").empty());
}

TEST_CASE("every field of a create request becomes Spark's property") {
  Launched run(true, R"({"kind":"spark","name":"mine","driverMemory":"2g","driverCores":2,
    "executorMemory":"3g","executorCores":4,"numExecutors":5,"queue":"q",
    "jars":["/a.jar","/b.jar"],"pyFiles":["/p.py"],"files":["/f"],"archives":["/z.zip#z"],
    "conf":{"spark.jars":"/c.jar","spark.x":"y","livy.rsc":"z","spark.submit.deployMode":"cluster",
            "spark.driver.extraJavaOptions":"-Da=b"}})");
  const Properties properties = run.deployment.properties();
  const auto at = [&](const char* key) { return properties.at(key); };
  CHECK(at("spark.app.name") == "mine");
  CHECK(at("spark.driver.memory") == "2g");
  CHECK(at("spark.driver.cores") == "2");
  CHECK(at("spark.executor.memory") == "3g");
  CHECK(at("spark.executor.cores") == "4");
  CHECK(at("spark.executor.instances") == "5");
  CHECK(at("spark.yarn.queue") == "q");
  CHECK(at("spark.jars") == "/a.jar,/b.jar,/c.jar");
  CHECK(at("spark.submit.pyFiles") == "/p.py");
  CHECK(at("spark.files") == "/f");
  CHECK(at("spark.archives") == "/z.zip#z");
  CHECK(at("spark.x") == "y");
  CHECK(at("spark.master") == "local[*]");
  CHECK(at("spark.submit.deployMode") == "client");
  CHECK(at("spark.sql.catalogImplementation") == "in-memory");
  CHECK(at("spark.sql.warehouse.dir") == run.deployment.folder + "/spark-warehouse");
  CHECK(at("spark.ui.showConsoleProgress") == "false");
  CHECK(at("spark.driver.extraJavaOptions") == "-Da=b -Dfile.encoding=UTF-8");
  CHECK(properties.count("livy.rsc") == 0);
}

TEST_CASE("a master that the deployment fixes is not the client's to change") {
  const std::string request = R"({"conf":{"spark.master":"local[7]"}})";
  CHECK(Launched(true, request).deployment.properties().at("spark.master") == "local[7]");
  Launched fixed(true, request, {}, R"(,"master":"yarn")");
  CHECK(fixed.deployment.properties().at("spark.master") == "yarn");
}

TEST_CASE("spark-defaults.conf counts where the request says nothing") {
  Deployment deployment;
  deployment.write("/conf/spark-defaults.conf",
                   "spark.master spark://h:7077\nspark.sql.catalogImplementation hive\n"
                   "spark.app.name all\nspark.y 1\nspark.z 1\n");
  FakeHost host;
  FakeInstance instance(*hearth_plugin_v1(), host.table(), deployment.config());
  FakeSession session(
      instance, host, handle,
      {"7", "spark", "", deployment.options(R"({"conf":{"spark.z":"2"}})"), "", ""});
  REQUIRE(session.launch());
  const Properties properties = deployment.properties();
  CHECK(properties.at("spark.master") == "spark://h:7077");
  CHECK(properties.at("spark.sql.catalogImplementation") == "hive");
  CHECK(properties.at("spark.app.name") == "hearth-session-7");
  CHECK(properties.at("spark.y") == "1");
  CHECK(properties.at("spark.z") == "2");
}

TEST_CASE("the driver is started with nothing but paths on its command line") {
  Launched run(true, R"({"conf":{"spark.secret":"hush"}})");
  const auto& spawn = run.host.spawns.at(0);
  const std::string& home = run.deployment.folder;
  CHECK(spawn.argv == std::vector<std::string>{home + "/bin/spark-submit", "--properties-file",
                                               home + "/driver.properties", "--class",
                                               "io.hearth.driver.Main", "--proxy-user", "ann",
                                               home + "/hearth-driver.jar"});
  CHECK(spawn.flags == 0);
  CHECK(std::count(spawn.env.begin(), spawn.env.end(), "HEARTH_LINK_FILE=" + run.host.linkFile) ==
        1);
  CHECK(std::count(spawn.env.begin(), spawn.env.end(), "SPARK_HOME=" + home) == 1);
  struct stat file {};
  REQUIRE(::stat((home + "/driver.properties").c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
}

TEST_CASE("without a Spark the refusal says how to name one") {
  Deployment deployment;
  FakeHost host;
  const auto refusal = [&](const std::string& config) {
    FakeInstance instance(*hearth_plugin_v1(), host.table(), config);
    try {
      FakeSession session(instance, host, handle,
                          {"7", "spark", "", deployment.options("{}"), "", ""});
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK_THAT(refusal(R"({"plugin_dir":")" + deployment.folder + "\"}"),
             Catch::Contains("set SPARK_HOME"));
  CHECK_THAT(refusal(R"({"spark_home":"/nonexistent","plugin_dir":""})"),
             Catch::Contains("no Spark in /nonexistent"));
  ::setenv("SPARK_HOME", deployment.folder.c_str(), 1);
  CHECK(refusal(R"({"spark_home":"","plugin_dir":")" + deployment.folder + "\"}").empty());
  ::unsetenv("SPARK_HOME");
}

TEST_CASE("a session with its own interpreter is idle when that is ready") {
  Launched run;
  CHECK(run.host.sent.at(0).type == frames::prepare);
  run.connect();
  CHECK(run.host.states.empty());
  run.say(frames::ready, "{}");
  REQUIRE(run.lastState() == HEARTH_IDLE);
  CHECK(run.host.states.back().detail ==
        R"({"appId":"local-1","sparkVersion":"4.0.0","scalaVersion":"2.13",)"
        R"("appInfo":{"driverLogUrl":null,"sparkUiUrl":"http://h:4040"}})");
}

TEST_CASE("a session that only carries followers is idle as soon as its context is up") {
  Launched run(false);
  CHECK(run.host.sent.empty());
  run.connect();
  CHECK(run.lastState() == HEARTH_IDLE);
}

TEST_CASE("statements go to the driver and what it answers comes back") {
  Launched run;
  run.connect();
  run.say(frames::ready, "{}");
  REQUIRE(run.session.execute(1, "1+1"));
  REQUIRE(run.session.interrupt(1));
  REQUIRE(run.session.complete(9, "a\"b", 3));
  CHECK(run.host.sent.at(1).type == frames::execute);
  CHECK(run.host.sent.at(1).payload == "1+1");
  CHECK(run.host.sent.at(2).type == frames::interrupt);
  CHECK(run.host.sent.at(3).payload == R"({"code":"a\"b","cursor":3})");
  REQUIRE(run.session.inspect(10, "a\"b", 1, 1));
  CHECK(run.host.sent.at(4).type == frames::inspect);
  CHECK(run.host.sent.at(4).payload == R"({"code":"a\"b","cursor":1,"detail":1})");

  run.say(frames::output, "text", 1, HEARTH_STDERR);
  run.say(frames::progress, "0.25", 1);
  run.say(frames::done, R"({"text/plain":"2"})", 1, HEARTH_DONE_OK);
  run.say(frames::reply, R"({"candidates":[]})", 9);
  CHECK(run.host.outputs.at(0).text == "text");
  CHECK(run.host.outputs.at(0).stream == HEARTH_STDERR);
  CHECK(run.host.progresses.at(0).fraction == 0.25);
  CHECK(run.host.dones.at(0).bundle == R"({"text/plain":"2"})");
  CHECK(run.host.replies.at(0).json == R"({"candidates":[]})");
}

TEST_CASE("followers learn of the driver once its context is up") {
  Launched run(false);
  REQUIRE(run.session.exportDriver(3));
  CHECK(run.host.replies.empty());
  run.connect();
  REQUIRE(run.host.replies.size() == 1);
  CHECK(run.host.replies[0].request == 3);
  CHECK(run.host.replies[0].json == R"({"sparkVersion":"4.0.0","sparkHome":")" +
                                        run.deployment.folder + R"(","appId":"local-1"})");
}

TEST_CASE("the driver is asked for the data that languages share, and not after its end") {
  Launched run;
  run.connect();
  REQUIRE(run.session.sharedData(5));
  CHECK(run.host.sent.back().type == frames::shared);
  CHECK(run.host.sent.back().statement == 5);
  run.say(frames::reply, R"({"items":[]})", 5);
  CHECK(run.host.replies.back().json == R"({"items":[]})");
  run.session.exit(run.process(), 1, 0);
  CHECK(run.session.sharedData(6).status == HEARTH_E_STATE);
}

TEST_CASE("a driver that dies takes its session along, with the reason") {
  Launched run;
  REQUIRE(run.session.exportDriver(3));
  SECTION("before it has connected") {
    run.session.exit(run.process(), 1, 0);
    CHECK_THAT(run.host.states.back().detail, Catch::Contains("before it had connected"));
    CHECK_THAT(run.host.states.back().detail, Catch::Contains("exit status 1"));
  }
  SECTION("by a signal") {
    run.connect();
    run.session.exit(run.process(), -1, SIGKILL);
    CHECK_THAT(run.host.states.back().detail, Catch::Contains("signal 9"));
  }
  SECTION("with a word") {
    run.connect();
    run.say(frames::bye, R"({"reason":"System.exit was called"})");
    run.session.exit(run.process(), 3, 0);
    CHECK_THAT(run.host.states.back().detail, Catch::Contains("System.exit was called"));
  }
  CHECK(run.lastState() == HEARTH_DEAD);
  CHECK(run.host.replies.size() == 1);
  CHECK_FALSE(run.session.execute(1, "1"));
}

TEST_CASE("an interpreter that fails is an error, not a death") {
  Launched run;
  run.connect();
  run.say(frames::failed, R"({"reason":"no compiler","output":""})");
  CHECK(run.lastState() == HEARTH_ERROR);
  CHECK(run.host.states.back().detail == R"({"reason":"no compiler"})");
}

TEST_CASE("closing lets the driver stop, and ends it when it does not") {
  Launched run;
  run.connect();
  SECTION("in order") {
    run.session.close(HEARTH_CLOSE_GRACEFUL);
    CHECK(run.host.sent.back().type == frames::stop);
    CHECK(run.host.signals.empty());
    run.session.exit(run.process(), 0, 0);
  }
  SECTION("a driver that hangs") {
    run.session.close(HEARTH_CLOSE_GRACEFUL);
    run.session.advance(5000);
    REQUIRE(run.host.signals.size() == 1);
    CHECK(run.host.signals[0].signo == SIGKILL);
    run.session.exit(run.process(), -1, SIGKILL);
  }
  SECTION("at once") {
    run.session.close(HEARTH_CLOSE_KILL);
    REQUIRE(run.host.signals.size() == 1);
    run.session.exit(run.process(), -1, SIGKILL);
  }
  SECTION("when it is dead already") {
    run.session.exit(run.process(), 1, 0);
    run.session.close(HEARTH_CLOSE_GRACEFUL);
  }
  SECTION("when the host goes and the driver stays") {
    run.session.close(HEARTH_CLOSE_DETACH);
    CHECK(run.host.signals.empty());
    CHECK(run.host.sent.back().type == frames::prepare);
  }
  CHECK(run.lastState() == HEARTH_CLOSED);
}

TEST_CASE("a driver of an earlier run of the host is taken up, not started anew") {
  Launched first;
  first.connect();
  first.say(frames::ready, "{}");

  TakenUp run(first.host.saved.back());
  CHECK(run.host.spawns.empty());
  CHECK(run.host.sent.empty());
  // What an earlier run may have given it: it knows what it has had.
  REQUIRE(run.session.resume(5, "1 + 1"));
  CHECK(run.host.sent.back().type == frames::execute);
  run.session.channel(run.channel, HEARTH_CHAN_UP);
  REQUIRE(run.host.states.back().state == HEARTH_IDLE);
  CHECK_THAT(run.host.states.back().detail, Catch::Contains("local-1"));
  REQUIRE(run.session.exportDriver(3));
  CHECK(run.host.replies.size() == 1);
  run.session.close(HEARTH_CLOSE_GRACEFUL);
  CHECK(run.host.sent.back().type == frames::stop);
  run.session.exit(TakenUp::driver, -1, 0);
  CHECK(run.host.states.back().state == HEARTH_CLOSED);
}

TEST_CASE("a driver that ended while the host was away is told of at once") {
  Launched first;
  first.connect();
  Launched run(true, "{}", first.host.saved.back());
  CHECK(run.lastState() == HEARTH_DEAD);
  CHECK_THAT(run.host.states.back().detail, Catch::Contains("while the host was away"));
}

TEST_CASE("a driver that had not begun to start Spark is idle once it has") {
  Launched first;
  TakenUp run(first.host.saved.back());
  CHECK(run.host.sent.back().type == frames::prepare);
  run.session.channel(run.channel, HEARTH_CHAN_UP);
  CHECK(run.host.states.empty());
  run.session.frame(run.channel, frames::ready, 0, "{}");
  CHECK(run.host.states.back().state == HEARTH_IDLE);
}
