// Limits, sizes, templates, defaults.
#include "policy/Policy.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "policy/PolicyRefusal.h"
#include "session/CreateRequest.h"
#include "session/PolicyCall.h"
#include "temp_folder.h"

using namespace hearth::host;
using hearth::test::TempFolder;

namespace {

std::string refusal(Policy& policy, SparkRequest request, Resource resource = Resource::session) {
  try {
    policy.admit("ann", resource, request);
  } catch (const PolicyRefusal& caught) {
    return caught.what();
  }
  return {};
}

SparkAsk ask(SparkRequest request, const std::string& master = "yarn") {
  return sparkAsk(request, master, "rule");
}

std::string unasked(SparkRequest request, const std::string& master = "yarn") {
  try {
    ask(std::move(request), master);
  } catch (const PolicyRefusal& caught) {
    return caught.what();
  }
  return {};
}

SparkRequest conf(std::map<std::string, std::string> values) {
  SparkRequest request;
  request.conf = std::move(values);
  return request;
}

constexpr std::int64_t gibi = std::int64_t{1} << 30;

}  // namespace

TEST_CASE("sizes are read as Spark reads them") {
  CHECK(sparkSize("2g", 1 << 20) == 2 * gibi);
  CHECK(sparkSize(" 2 GB ", 1 << 20) == 2 * gibi);
  CHECK(sparkSize("512", 1 << 20) == gibi / 2);
  CHECK(sparkSize("512k", 1) == 512 << 10);
  CHECK(sparkSize("1b", 1 << 20) == 1);
  for (const char* text :
       {"", "g", "1.5g", "-1g", "1x", "1gg2", "9999999999p", "99999999999999999999"}) {
    INFO(text);
    CHECK(!sparkSize(text, 1 << 20));
  }
}

TEST_CASE("what a request asks for counts driver, executors and what goes with them") {
  SparkRequest request;
  request.driverMemory = "2g";
  request.driverCores = 2;
  request.executorMemory = "4g";
  request.executorCores = 3;
  request.numExecutors = 5;
  CHECK(ask(request).memory == 22 * gibi);
  CHECK(ask(request).cores == 17);
  request.conf = {{"spark.executor.memoryOverhead", "1g"},
                  {"spark.memory.offHeap.size", "1073741824"}};
  CHECK(ask(request).memory == 32 * gibi);
  CHECK(ask(SparkRequest()).memory == 3 * gibi);  // Spark's defaults on a cluster
  CHECK(ask(SparkRequest(), "local[2]").memory == gibi);
  CHECK(ask(conf({{"spark.master", "local[3]"}}), "").cores == 3);
  CHECK(ask(conf({{"spark.executor.memory", "1g"}, {"spark.executor.instances", "4"}})).memory ==
        5 * gibi);
  CHECK(ask(conf({{"spark.cores.max", "7"}, {"spark.executor.cores", "2"}}), "spark://h:1").cores ==
        8);
}

TEST_CASE("what has no bound, or is beside Spark's keys, is refused where sizes are limited") {
  CHECK_THAT(unasked(conf({{"spark.dynamicAllocation.enabled", " TRUE"}})),
             Catch::Contains("spark.dynamicAllocation.maxExecutors"));
  CHECK(unasked(conf({{"spark.dynamicAllocation.enabled", "true"},
                      {"spark.dynamicAllocation.maxExecutors", "3"}})) == "");
  CHECK_THAT(unasked({}, "spark://h:1"), Catch::Contains("spark.cores.max"));
  CHECK_THAT(unasked(conf({{"spark.driver.extraJavaOptions", "-ea -Xmx64g"}})),
             Catch::Contains("-Xmx64g"));
  CHECK_THAT(unasked(conf({{"spark.driver.extraJavaOptions", "-Dspark.executor.memory=64g"}})),
             Catch::Contains("spark.executor.memory"));
  CHECK_THAT(unasked(conf({{"spark.executor.memory", "much"}})), Catch::Contains("'much'"));
  CHECK_THAT(unasked(conf({{"spark.executor.instances", "-4"}})), Catch::Contains("'-4'"));
  CHECK_THAT(unasked(conf({{"spark.executor.memory", "9999999999p"}})),
             Catch::Contains("not a size"));
}

TEST_CASE("a product too large for a number is large, not small") {
  SparkRequest request = conf({{"spark.executor.memory", "8191p"}});
  request.numExecutors = 2147483647;
  CHECK(ask(request).memory == INT64_MAX);
}

TEST_CASE(
    "a user's limit of sessions is told with its rule and number, and gives back what ended") {
  Policy::Options options;
  options.limits.sessions = 2;
  options.limits.batches = 1;
  Policy policy(options);
  SparkRequest request;
  const auto first = policy.admit("ann", Resource::session, request);
  {
    const auto second = policy.admit("ann", Resource::session, request);
    const std::string text = refusal(policy, request);
    CHECK_THAT(text, Catch::StartsWith("policy.limit.sessions: ") &&
                         Catch::Contains("2 sessions of at most 2"));
    CHECK(refusal(policy, request, Resource::batch).empty());  // counted apart
    CHECK_NOTHROW(policy.admit("bob", Resource::session, request));
  }
  CHECK(refusal(policy, request).empty());
  try {
    const auto second = policy.admit("ann", Resource::session, request);
    policy.admit("ann", Resource::session, request);
    FAIL("a third one");
  } catch (const PolicyRefusal& caught) {
    CHECK(caught.cause() == PolicyRefusal::Cause::limit);
  }
}

TEST_CASE("a user's memory and cores are one sum over sessions and batches") {
  Policy::Options options;
  options.limits.memory = 10 * gibi;
  options.limits.cores = 8;
  options.sessionMaster = options.batchMaster = "yarn";
  Policy policy(options);
  SparkRequest request = conf({{"spark.executor.memory", "2g"}});
  request.numExecutors = 3;
  const auto first = policy.admit("ann", Resource::batch, request);  // 7g, 4 cores
  CHECK_THAT(refusal(policy, request), Catch::StartsWith("policy.limit.memory: 7168m") &&
                                           Catch::Contains("7168m of at most 10240m"));
  SparkRequest wide = conf({{"spark.executor.memory", "1m"}, {"spark.executor.cores", "4"}});
  wide.driverMemory = "1m";
  CHECK_THAT(refusal(policy, wide), Catch::StartsWith("policy.limit.cores: 9 cores"));
  SparkRequest small = conf({{"spark.driver.memory", "1g"}});
  small.numExecutors = 1;
  CHECK(refusal(policy, small).empty());
}

TEST_CASE("what an earlier run admitted counts, whatever the limits are now") {
  Policy::Options options;
  options.limits.batches = 1;
  options.limits.memory = gibi;
  Policy policy(options);
  SparkRequest request = conf({{"spark.driver.memory", "nonsense"}});
  const auto first = policy.readmit("ann", Resource::batch, request);
  const auto second =
      policy.readmit("ann", Resource::batch, conf({{"spark.driver.memory", "64g"}}));
  CHECK_THAT(refusal(policy, {}, Resource::batch), Catch::Contains("2 batches of at most 1"));
}

TEST_CASE("defaults are under the request, by whichever name it gives the key") {
  Policy::Options options;
  options.sessionConf.defaults = {{"spark.executor.memory", "2g"},
                                  {"spark.kerberos.keytab", "/x"},
                                  {"spark.sql.shuffle.partitions", "8"}};
  Policy policy(options);
  SparkRequest request = conf({{"spark.yarn.keytab", "/mine"}});
  request.executorMemory = "4g";
  policy.admit("ann", Resource::session, request);
  CHECK(request.conf == std::map<std::string, std::string>{{"spark.sql.shuffle.partitions", "8"},
                                                           {"spark.yarn.keytab", "/mine"}});
  CHECK(request.executorMemory == "4g");
}

TEST_CASE("the operator's own values need not follow the users' rules") {
  Policy::Options options;
  options.sessionConf.denied = {"spark.x", "spark.y"};
  options.sessionConf.forced = {{"spark.x", "1"}};
  options.sessionConf.defaults = {{"spark.y", "2"}};
  options.paths.local.emplace();
  options.sessionConf.forced["spark.jars"] = "/opt/lib/a.jar";
  Policy policy(options);
  SparkRequest request;
  policy.admit("ann", Resource::session, request);
  CHECK(request.conf.at("spark.x") == "1");
  CHECK(request.conf.at("spark.y") == "2");
  CHECK(request.conf.at("spark.jars") == "/opt/lib/a.jar");
}

namespace {

class TemplateFolder {
 public:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  Templates load() const { return Templates::load(folder_.path()); }
  std::string error() const {
    try {
      load();
    } catch (const TemplateError& wrong) {
      return wrong.what();
    }
    return {};
  }

 private:
  TempFolder folder_;
};

}  // namespace

TEST_CASE(
    "a template fills in what a request leaves open, and the request wins but where it is locked") {
  TemplateFolder folder;
  folder.write("large.json", R"({"description":"for joins","kind":"pyspark",
    "fields":{"driverMemory":"8g","executorMemory":"4g","numExecutors":10,"jars":["/opt/a.jar"]},
    "conf":{"spark.sql.shuffle.partitions":400,"spark.yarn.queue":"large"},
    "locked":["driverMemory","spark.yarn.queue"]})");
  Policy::Options options;
  options.templates = folder.load();
  options.paths.local.emplace();  // the template's jar is the operator's
  Policy policy(options);

  SparkRequest request = conf({{"spark.executor.memory", "1g"}});
  request.templateName = "large";
  request.numExecutors = 2;
  policy.admit("ann", Resource::session, request);
  CHECK(request.kind == "pyspark");
  CHECK(request.driverMemory == "8g");
  CHECK(request.executorMemory.empty());  // the request's conf has it
  CHECK(request.conf.at("spark.executor.memory") == "1g");
  CHECK(request.numExecutors == 2);
  CHECK(request.jars == std::vector<std::string>{"/opt/a.jar"});
  CHECK(request.conf.at("spark.sql.shuffle.partitions") == "400");

  const auto picked = [](std::map<std::string, std::string> values) {
    values["hearth.template"] = "large";
    return conf(std::move(values));
  };
  SparkRequest byConf = picked({});
  policy.admit("ann", Resource::session, byConf);
  CHECK(byConf.templateName == "large");
  CHECK(byConf.conf.count("hearth.template") == 0);
  CHECK(refusal(policy, picked({{"spark.driver.memory", "8g"}})).empty());  // no change
  CHECK_THAT(refusal(policy, picked({{"spark.driver.memory", "9g"}})),
             Catch::StartsWith("policy.templates: ") && Catch::Contains("spark.driver.memory"));
  SparkRequest byField = picked({});
  byField.queue = "root";
  CHECK_THAT(refusal(policy, byField), Catch::Contains("locks spark.yarn.queue"));
  CHECK_THAT(
      refusal(policy, picked({{"spark.driver.extraJavaOptions", "-Dspark.yarn.queue=root"}})),
      Catch::Contains("locks spark.yarn.queue"));
  SparkRequest two = picked({});
  two.templateName = "small";
  CHECK_THAT(refusal(policy, two), Catch::Contains("name two"));
}

TEST_CASE("an unknown template is named with the nearest one") {
  TemplateFolder folder;
  folder.write("small.json", "{}");
  Policy::Options options;
  options.templates = folder.load();
  Policy policy(options);
  SparkRequest request;
  request.templateName = "smal";
  CHECK_THAT(refusal(policy, request),
             Catch::Contains("'smal'") && Catch::Contains("did you mean 'small'?"));
}

TEST_CASE("a template's file that is wrong is named, not left out") {
  TemplateFolder folder;
  CHECK(folder.error().empty());
  CHECK(Templates::load("/nonexistent").all().empty());
  for (const char* text : {"", "[]", R"({"felds":{}})", R"({"fields":{"driverMem":"1g"}})",
                           R"({"name":"a b"})", R"({"locked":"x"})", R"({"conf":{"a":[]}})"}) {
    INFO(text);
    folder.write("wrong.json", text);
    CHECK_THAT(folder.error(), Catch::Contains("wrong.json"));
  }
  folder.write("wrong.json", R"({"name":"same"})");
  folder.write("same.json", "{}");
  CHECK_THAT(folder.error(), Catch::Contains("'same'"));
}

TEST_CASE("a refused request is as it was, and is refused as its cause says") {
  Policy::Options options;
  options.sessionConf.denied = {"spark.x"};
  options.limits.sessions = 1;
  Policy policy(options);
  CreateRequest request =
      CreateRequest::parse(R"({"kind":"spark","conf":{"spark.x":"1"," spark.y":"2"}})");
  const std::string before = request.toJson();
  try {
    applyPolicy(policy, "ann", Resource::session, request);
    FAIL("admitted");
  } catch (const Refusal& refusal) {
    CHECK(refusal.cause() == Refusal::Cause::policy);
  }
  CHECK(request.toJson() == before);
  request.conf.erase("spark.x");
  const auto lease = applyPolicy(policy, "ann", Resource::session, request);
  CHECK(request.conf.count("spark.y") == 1);
  try {
    applyPolicy(policy, "ann", Resource::session, request);
    FAIL("admitted");
  } catch (const Refusal& refusal) {
    CHECK(refusal.cause() == Refusal::Cause::limit);
  }
}

TEST_CASE("paths without a scheme are the default file system's where the master is a cluster") {
  Policy::Options options;
  options.files.uri = "hdfs://nn:8020/";
  options.files.keys = {"livy.files"};
  options.files.batchMaster = "yarn";
  options.paths.local.emplace();  // no local file
  options.paths.schemes = {"hdfs"};
  Policy policy(options);
  SparkRequest request = conf({{"spark.files", "/c, file.txt ,hdfs:///d"},
                               {"spark.yarn.archive", "/e.zip"},
                               {"livy.files", "/f"},
                               {"spark.sql.x", "hello"}});
  request.file = "/a.py#x";
  request.jars = {"/b.jar", "s/c.jar", "/d,/e"};
  CHECK(refusal(policy, request).rfind("policy.paths", 0) == 0);  // sessions have no master here
  request.jars = {"/b.jar", "hdfs://other/c.jar", "/d,/e"};
  request.conf["spark.files"] = "/c,hdfs:///d";
  policy.admit("ann", Resource::batch, request);
  CHECK(request.file == "hdfs://nn:8020/a.py#x");
  CHECK(request.jars == std::vector<std::string>{"hdfs://nn:8020/b.jar", "hdfs://other/c.jar",
                                                 "hdfs://nn:8020/d,hdfs://nn:8020/e"});
  CHECK(request.conf ==
        std::map<std::string, std::string>{{"spark.files", "hdfs://nn:8020/c,hdfs:///d"},
                                           {"spark.yarn.archive", "hdfs://nn:8020/e.zip"},
                                           {"livy.files", "hdfs://nn:8020/f"},
                                           {"spark.sql.x", "hello"}});

  // They are what they will be, and judged as that.
  SparkRequest local = conf({{"spark.master", "local[2]"}});
  local.file = "/a.py";
  CHECK(refusal(policy, local, Resource::batch).rfind("policy.paths", 0) == 0);
  options.paths.local.reset();
  options.paths.schemes.clear();
  SparkRequest cluster;
  cluster.file = "/a.py";
  Policy closed(options);
  CHECK(refusal(closed, cluster, Resource::batch).rfind("policy.paths.schemes", 0) == 0);
  closed.admit("ann", Resource::batch, local);
  CHECK(local.file == "/a.py");
  options.batchConf.forced["spark.master"] = "local[1]";
  Policy(options).admit("ann", Resource::batch, cluster);
  CHECK(cluster.file == "/a.py");
}

TEST_CASE("a default file system of this machine changes no path") {
  for (const char* uri : {"", "file:///", "FILE:/"}) {
    Policy::Options options;
    options.files.uri = uri;
    options.batchMaster = "yarn";
    SparkRequest request;
    request.file = "/a.py";
    Policy(options).admit("ann", Resource::batch, request);
    CHECK(request.file == "/a.py");
  }
}
