// The scala plugin against a fake host: drivers that run in a cluster.
#include "Cluster.h"

#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <hearth/kit/fake_host.hpp>
#include <hearth/plugin.hpp>
#include <iterator>

#include "LinkFrames.h"
#include "submit/Properties.h"

using hearth::kit::FakeHost;
using hearth::kit::FakeInstance;
using hearth::kit::FakeSession;
using hearth::submit::Properties;
namespace fs = std::filesystem;
namespace frames = hearth::spark::frames;

namespace {

constexpr hearth_session_h handle = 5;
constexpr const char* linkText = R"({"session":"7","secret":"hush","orphan_seconds":600})";

/// What looks like a Spark, an installed plugin and a session's folder; removed with the test.
class Deployment {
 public:
  Deployment() {
    char name[] = "/tmp/hearth-cluster-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("no temporary folder");
    folder = name;
    for (const char* sub : {"bin", "conf", "session", "python/lib"})
      fs::create_directories(folder + "/" + sub);
    write("/bin/spark-submit", "");
    ::chmod((folder + "/bin/spark-submit").c_str(), 0700);
    write("/hearth-driver.jar", "");
    write("/session/link.json", linkText);
    ::unsetenv("SPARK_CONF_DIR");
    ::unsetenv("SPARK_HOME");
  }
  ~Deployment() { fs::remove_all(folder); }
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;

  void write(const std::string& file, const std::string& text) const {
    std::ofstream(folder + file) << text;
  }
  std::string read(const std::string& path) const {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }

  std::string folder;
};

/// A session in cluster mode whose driver has not said anything. With `python` its Spark has a
/// pyspark to bring along.
struct Clustered {
  explicit Clustered(const std::string& master, const std::string& request = "{}",
                     const std::string& more = {}, bool python = true)
      : pyspark(python ? "/python/lib/pyspark.zip" : ""),
        instance(*hearth_plugin_v1(), host.table(), config(master, more)),
        session(instance, host, handle,
                {"7", "spark", "",
                 R"({"tag":"hearth-7","prepare":true,"dir":")" + deployment.folder +
                     R"(/session","request":)" + request + "}",
                 "", ""}) {
    host.linkFile = deployment.folder + "/session/link.json";
    REQUIRE(session.launch());
    channel = host.channels.at(0).channel;
  }

  std::string config(const std::string& master, const std::string& more) const {
    if (!pyspark.empty()) deployment.write(pyspark, "");
    return R"({"spark_home":")" + deployment.folder + R"(","plugin_dir":")" + deployment.folder +
           R"(","deploy_mode":"cluster","master":")" + master + "\"" + more + "}";
  }
  Properties properties() const {
    return hearth::submit::parseProperties(
        deployment.read(deployment.folder + "/session/driver.properties"));
  }
  void say(std::uint8_t type, const std::string& payload) {
    session.frame(channel, type, 0, payload);
  }
  void ready() {
    session.channel(channel, HEARTH_CHAN_UP);
    say(frames::info, R"({"appId":"application_1_2","sparkUiUrl":null,"driverLogUrl":"http://n/c",)"
                      R"("sparkVersion":"4.0.0","scalaVersion":"2.13"})");
    say(frames::ready, "{}");
  }
  hearth_proc_h submitter() const { return host.spawns.at(0).process; }
  std::int32_t lastState() const { return host.states.empty() ? 0 : host.states.back().state; }
  std::string lastDetail() const { return host.states.back().detail; }

  Deployment deployment;
  std::string pyspark;
  FakeHost host;
  FakeInstance instance;
  FakeSession session;
  hearth_chan_h channel = 0;
};

bool anyHas(const std::vector<std::string>& words, const std::string& wanted) {
  for (const std::string& word : words)
    if (word.find(wanted) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("a driver in YARN gets its link file as a file of the application, and dials the network",
          "[cluster]") {
  Clustered run("yarn",
                R"({"conf":{"spark.yarn.tags":"mine","spark.yarn.dist.files":"/a",)"
                R"("spark.yarn.maxAppAttempts":"5","spark.hearth.link.file":"/etc/passwd"}})");
  CHECK(run.host.channels.at(0).json == R"({"network":true})");
  const Properties properties = run.properties();
  const std::string file = run.deployment.folder + "/session/hearth-link.json";
  CHECK(properties.at("spark.master") == "yarn");
  CHECK(properties.at("spark.submit.deployMode") == "cluster");
  CHECK(properties.at("spark.yarn.tags") == "mine,hearth-7");
  CHECK(properties.at("spark.yarn.dist.files") == "/a," + file + "#hearth-link.json");
  CHECK(properties.at("spark.hearth.link.file") == "hearth-link.json");
  CHECK(properties.at("spark.yarn.submit.waitAppCompletion") == "false");
  CHECK(properties.at("spark.yarn.maxAppAttempts") == "1");
  CHECK(properties.at("spark.yarn.isPython") == "true");
  CHECK(properties.count("spark.sql.warehouse.dir") == 0);
  CHECK(run.deployment.read(file) == linkText);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  // Neither the secret nor where it is goes by the submitter's arguments or environment.
  const auto& spawn = run.host.spawns.at(0);
  CHECK(spawn.flags == HEARTH_SPAWN_LINES);
  for (const char* word : {"hush", "link"}) {
    CHECK_FALSE(anyHas(spawn.argv, word));
    CHECK_FALSE(anyHas(spawn.env, word));
  }
  CHECK(spawn.argv.back() == run.deployment.folder + "/hearth-driver.jar");
}

TEST_CASE("a Spark without pyspark still starts Scala sessions in YARN", "[cluster]") {
  CHECK(Clustered("yarn", "{}", "", false).properties().count("spark.yarn.isPython") == 0);
}

TEST_CASE("a driver in a standalone cluster reads its link file from the shared folder",
          "[cluster]") {
  std::string shared;
  {
    Deployment other;
    shared = other.folder;
    Clustered run("spark://h:7077", "{}", R"(,"shared_dir":")" + shared + "\"");
    const Properties properties = run.properties();
    const std::string file = shared + "/hearth-7-hearth-link.json";
    CHECK(properties.at("spark.hearth.link.file") == file);
    CHECK(properties.count("spark.files") == 0);
    CHECK(properties.at("spark.driver.supervise") == "false");
    CHECK_THAT(properties.at("spark.driver.extraJavaOptions"),
               Catch::Contains("--add-opens=java.base/java.lang=ALL-UNNAMED"));
    CHECK(run.deployment.read(file) == linkText);
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    run.ready();
    run.session.close(HEARTH_CLOSE_GRACEFUL);
    run.say(frames::bye, R"({"reason":"asked"})");
    CHECK(run.lastState() == HEARTH_CLOSED);
  }
  CHECK_FALSE(fs::exists(shared + "/hearth-7-hearth-link.json"));
  Clustered alone("spark://h:7077");
  CHECK(alone.properties().at("spark.hearth.link.file") ==
        alone.deployment.folder + "/session/hearth-link.json");
}

TEST_CASE("the command for Kubernetes is Spark's own, with what the deployment has configured",
          "[cluster]") {
  Deployment other;
  Clustered run("k8s://https://api:6443",
                R"({"executorMemory":"3g","files":["/f"],"conf":{)"
                R"("spark.kubernetes.container.image":"registry/spark:4",)"
                R"("spark.kubernetes.namespace":"jobs",)"
                R"("spark.kubernetes.file.upload.path":"s3a://b/up"}})",
                R"(,"driver_jar":"local:///opt/hearth-driver.jar")");
  const Properties properties = run.properties();
  CHECK(properties.at("spark.master") == "k8s://https://api:6443");
  CHECK(properties.at("spark.submit.deployMode") == "cluster");
  CHECK(properties.at("spark.kubernetes.container.image") == "registry/spark:4");
  CHECK(properties.at("spark.kubernetes.namespace") == "jobs");
  CHECK(properties.at("spark.executor.memory") == "3g");
  CHECK(properties.at("spark.kubernetes.submission.waitAppCompletion") == "false");
  CHECK(properties.at("spark.kubernetes.driver.label.hearth-tag") == "hearth-7");
  CHECK(properties.at("spark.kubernetes.executor.label.hearth-tag") == "hearth-7");
  CHECK(properties.at("spark.files") ==
        "/f," + run.deployment.folder + "/session/hearth-link.json");
  CHECK(properties.at("spark.hearth.link.file") == "hearth-link.json");
  const auto& argv = run.host.spawns.at(0).argv;
  CHECK(argv.back() == "local:///opt/hearth-driver.jar");
  CHECK(anyHas(argv, "io.hearth.driver.Main"));
  CHECK_FALSE(anyHas(argv, "hush"));
}

TEST_CASE("cluster mode without a cluster is refused at once, with the way out", "[cluster]") {
  for (const std::string master : {"local[2]", ""}) {
    try {
      Clustered run(master);
      FAIL("it was taken");
    } catch (const std::runtime_error& refusal) {
      CHECK_THAT(refusal.what(), Catch::Contains("deploy_mode is cluster"));
      CHECK_THAT(refusal.what(), Catch::Contains("local["));
    }
  }
}

TEST_CASE("the submitter's good end is not the session's, and the wait is told", "[cluster]") {
  Clustered run("yarn");
  run.session.line(run.submitter(), HEARTH_STDERR,
                   "26/11/26 INFO YarnClientImpl: Submitted application application_1_2");
  REQUIRE(run.lastState() == HEARTH_WAITING);
  CHECK(run.lastDetail() ==
        R"({"reason":"submitted as application_1_2, which waits for the cluster's resources",)"
        R"("appId":"application_1_2",)"
        R"("cluster":{"master":"yarn","tag":"hearth-7","id":"application_1_2"}})");
  run.session.exit(run.submitter(), 0, 0);
  CHECK(run.lastState() == HEARTH_WAITING);
  CHECK(run.host.signals.empty());
  run.session.channel(run.channel, HEARTH_CHAN_UP);
  CHECK_THAT(run.lastDetail(), Catch::Contains("starts Spark"));
  run.ready();
  REQUIRE(run.lastState() == HEARTH_IDLE);
  CHECK_THAT(run.lastDetail(), Catch::Contains(R"("driverLogUrl":"http://n/c")"));
  CHECK(run.session.execute(1, "1"));
}

TEST_CASE("without a word of the submitter the wait is told when it has ended", "[cluster]") {
  Clustered run("spark://h:7077");
  run.session.exit(run.submitter(), 0, 0);
  REQUIRE(run.lastState() == HEARTH_WAITING);
  CHECK_THAT(run.lastDetail(), Catch::Contains("waits for the cluster's resources"));
}

TEST_CASE("a submission that fails ends the session with the submitter's last words", "[cluster]") {
  Clustered run("yarn");
  for (int i = 0; i < 1000; ++i)
    run.session.line(run.submitter(), HEARTH_STDERR, std::string(100000, 'x'));
  run.session.line(run.submitter(), HEARTH_STDERR, "queue nosuch is unknown");
  run.session.exit(run.submitter(), 1, 0);
  REQUIRE(run.lastState() == HEARTH_DEAD);
  CHECK_THAT(run.lastDetail(), Catch::Contains("exit status 1"));
  CHECK_THAT(run.lastDetail(), Catch::Contains("queue nosuch is unknown"));
  CHECK(run.lastDetail().size() < 8000);
}

TEST_CASE("a submitter that is killed after the driver is there does no harm", "[cluster]") {
  Clustered run("yarn");
  run.ready();
  run.session.exit(run.submitter(), -1, SIGKILL);
  CHECK(run.lastState() == HEARTH_IDLE);
}

TEST_CASE("a driver in the cluster that is not heard of again ends its session", "[cluster]") {
  Clustered run("yarn");
  run.session.exit(run.submitter(), 0, 0);
  run.ready();
  SECTION("it comes back") {
    run.session.channel(run.channel, HEARTH_CHAN_DOWN);
    run.session.advance(599000);
    run.session.channel(run.channel, HEARTH_CHAN_BACK);
    run.session.advance(700000);
    CHECK(run.lastState() == HEARTH_IDLE);
  }
  SECTION("it does not") {
    run.session.channel(run.channel, HEARTH_CHAN_DOWN);
    run.session.advance(600000);
    REQUIRE(run.lastState() == HEARTH_DEAD);
    CHECK_THAT(run.lastDetail(), Catch::Contains("has not been heard of for 600 s"));
  }
  SECTION("it says why it goes") {
    run.say(frames::bye, R"({"reason":"System.exit was called"})");
    REQUIRE(run.lastState() == HEARTH_DEAD);
    CHECK_THAT(run.lastDetail(), Catch::Contains("System.exit was called"));
  }
}

TEST_CASE("closing stops the driver in the cluster, in any phase of its start", "[cluster]") {
  Clustered run("yarn");
  SECTION("while it is being submitted") {
    run.session.close(HEARTH_CLOSE_GRACEFUL);
    REQUIRE(run.host.signals.size() == 1);
    CHECK(run.lastState() != HEARTH_CLOSED);
    run.session.exit(run.submitter(), -1, SIGKILL);
  }
  SECTION("while it waits for resources") {
    run.session.exit(run.submitter(), 0, 0);
    run.session.close(HEARTH_CLOSE_GRACEFUL);
  }
  SECTION("when it runs") {
    run.session.exit(run.submitter(), 0, 0);
    run.ready();
    run.session.close(HEARTH_CLOSE_GRACEFUL);
    CHECK(run.host.sent.back().type == frames::stop);
    CHECK(run.lastState() == HEARTH_IDLE);
    run.say(frames::bye, R"({"reason":"the host asked for it"})");
  }
  SECTION("when it runs and hangs") {
    run.session.exit(run.submitter(), 0, 0);
    run.ready();
    run.session.close(HEARTH_CLOSE_GRACEFUL);
    run.session.advance(8000);
  }
  SECTION("at once") {
    run.session.exit(run.submitter(), 0, 0);
    run.ready();
    run.session.close(HEARTH_CLOSE_KILL);
    CHECK(run.host.sent.back().type == frames::stop);
  }
  CHECK(run.lastState() == HEARTH_CLOSED);
}
