#include <catch2/catch.hpp>
#include <cstdlib>

#include "submit/LaunchCommand.h"
#include "submit/LaunchPatterns.h"

using namespace hearth::submit;
using Words = std::vector<std::string>;

namespace {

std::string printed(const Words& words) {
  std::string text("\0\n", 2);
  for (const std::string& word : words) text += word + '\0';
  return text;
}

LaunchPattern pattern() {
  const auto found =
      LaunchPattern::parse(printed({"/java/bin/java", "-Dx=1", "-cp", "/s/conf:/s/jars/*", "-Dopts",
                                    "-Xmx1234567m", "-Dhearth.probe=1", "--add-opens=a",
                                    "org.apache.spark.deploy.SparkSubmit", "--master", "local"}));
  REQUIRE(found);
  return *found;
}

Application application() {
  Application made;
  made.sparkHome = "/s";
  made.mainClass = "org.example.Main";
  made.resource = "/a.jar";
  return made;
}

}  // namespace

TEST_CASE("options are split as Spark splits them", "[submit]") {
  CHECK(*splitOptions("  -Da=b\t-Dc  ") == Words{"-Da=b", "-Dc"});
  CHECK(*splitOptions(R"("a b" 'c d' e"f g"h)") == Words{"a b", "c d", "ef gh"});
  CHECK(*splitOptions(R"(a\ b "x\"y" 'p\q')") == Words{"a b", "x\"y", "p\\q"});
  CHECK(*splitOptions(R"('' "")") == Words{"", ""});
  CHECK(splitOptions("")->empty());
  CHECK_FALSE(splitOptions("'a"));
  CHECK_FALSE(splitOptions("\"a"));
  CHECK_FALSE(splitOptions("a\\"));
}

TEST_CASE("the driver's heap, options and class path are where the launcher puts them",
          "[submit]") {
  CHECK(*launchCommand(pattern(), application(), {}) ==
        Words{"/java/bin/java", "-Dx=1", "-cp", "/s/conf:/s/jars/*", "-Dopts", "-Xmx1g",
              "--add-opens=a", "org.apache.spark.deploy.SparkSubmit"});
  const Properties properties = {{"spark.driver.memory", "3g"},
                                 {"spark.driver.defaultJavaOptions", "-Dd"},
                                 {"spark.driver.extraJavaOptions", "'-De=x y'"},
                                 {"spark.driver.extraClassPath", "/nonexistent:/tmp:/nonexistent"}};
  CHECK(*launchCommand(pattern(), application(), properties) ==
        Words{"/java/bin/java", "-Dx=1", "-cp", "/nonexistent:/tmp/:/s/conf:/s/jars/*", "-Dopts",
              "-Xmx3g", "-Dd", "-De=x y", "--add-opens=a", "org.apache.spark.deploy.SparkSubmit"});
  Properties cluster = properties;
  cluster["spark.submit.deployMode"] = "cluster";
  CHECK(*launchCommand(pattern(), application(), cluster) ==
        Words{"/java/bin/java", "-Dx=1", "-cp", "/s/conf:/s/jars/*", "-Dopts", "--add-opens=a",
              "org.apache.spark.deploy.SparkSubmit"});
}

TEST_CASE("what is the launcher's own business is left to it", "[submit]") {
  for (const Properties& properties :
       {Properties{{"spark.driver.extraJavaOptions", "-Xmx1g"}},
        Properties{{"spark.driver.extraJavaOptions", "'"}},
        Properties{{"spark.driver.extraClassPath", "lib/a.jar"}},
        Properties{{"spark.remote", "sc://h"}}, Properties{{"spark.api.mode", "connect"}}})
    CHECK_FALSE(launchCommand(pattern(), application(), properties));
  Application shell = application();
  shell.mainClass = "org.apache.spark.repl.Main";
  CHECK_FALSE(launchCommand(pattern(), shell, {}));
  Application internal = application();
  internal.resource = "pyspark-shell";
  CHECK_FALSE(launchCommand(pattern(), internal, {}));
}

TEST_CASE("a launcher that says something else is not guessed at", "[submit]") {
  CHECK_FALSE(LaunchPattern::parse(""));
  CHECK_FALSE(LaunchPattern::parse("Error: no java"));
  CHECK_FALSE(LaunchPattern::parse(printed({"/b/java", "-cp", "x"})));
  CHECK_FALSE(
      LaunchPattern::parse(printed({"env", "A=b", "/b/java", "-cp", "x", "-Xmx1234567m",
                                    "-Dhearth.probe=1", "org.apache.spark.deploy.SparkSubmit"})));
  CHECK_FALSE(LaunchPattern::parse(
      printed({"/b/java", "-cp", "x", "-Xmx1g", "org.apache.spark.deploy.SparkSubmit"})));
}

TEST_CASE("a Spark without a launcher is submitted to by its own script", "[submit]") {
  CHECK_FALSE(LaunchPatterns::instance().learn("/nonexistent", {}));
  Application made = application();
  made.sparkHome = "/nonexistent";
  made.arguments = {"a b"};
  made.proxyUser = "ann";
  const Command command = submission(made, "/p", {{"A", "b"}});
  CHECK(command.argv == Words{"/nonexistent/bin/spark-submit", "--properties-file", "/p", "--class",
                              "org.example.Main", "--proxy-user", "ann", "/a.jar", "a b"});
  CHECK(command.environment == Words{"A=b", "SPARK_HOME=/nonexistent"});
}
