#include <catch2/catch.hpp>

#include "batch/BatchRequest.h"
#include "session/Refusal.h"

using namespace hearth::host;
using Fields = BatchRequest::Fields;

TEST_CASE("a request comes back from the store as it was", "[batch]") {
  const std::string body = R"({"file":"hdfs:///a.jar","className":"X","args":["a","","ü\n"],
    "name":"n","proxyUser":"p","jars":["/j"],"pyFiles":["/p"],"files":["/f#x"],"archives":["/z"],
    "driverMemory":"1g","driverCores":1,"executorMemory":"2g","executorCores":2,"numExecutors":3,
    "queue":"q","conf":{"b":"1","a":2},"env":{"A":"b"},"pythonPath":"/py"})";
  const std::string json = BatchRequest::parse(body, Fields::v1).toJson();
  CHECK(BatchRequest::parse(json, Fields::v1).toJson() == json);
  for (const char* part : {"hdfs:///a.jar", "\"args\":[\"a\",\"\",\"ü\\n\"]", "\"numExecutors\":3",
                           "\"conf\":{\"a\":\"2\",\"b\":\"1\"}", "\"env\":{\"A\":\"b\"}"})
    CHECK_THAT(json, Catch::Contains(part));
}

TEST_CASE("an empty field is as one that is not given", "[batch]") {
  const BatchRequest request =
      BatchRequest::parse(R"({"file":"/a","name":null,"jars":null,"conf":null})", Fields::livy);
  CHECK_FALSE(request.name);
  CHECK(request.toJson() == R"({"file":"/a"})");
}

TEST_CASE("paths say where they are", "[batch]") {
  const auto refused = [](const std::string& file) {
    try {
      BatchRequest::parse("{\"file\":\"" + file + "\"}", Fields::livy);
      return false;
    } catch (const Refusal& refusal) {
      return refusal.cause() == Refusal::Cause::rejected;
    }
  };
  for (const char* good :
       {"/a", "file:/a", "file:///a", "hdfs://nn/a", "local:/a", "s3a://b/c", "http://h/a.jar"})
    CHECK_FALSE(refused(good));
  for (const char* bad : {"a", "./a", "../a", "a/b:c", ":/a", "~/a", ""}) CHECK(refused(bad));
}

TEST_CASE("a request that the policy has made longer than a client may send is still read",
          "[batch]") {
  BatchRequest request;
  request.file = "hdfs://namenode/a.jar";
  request.jars.assign(40000, "hdfs://namenode.example:8020/a.jar");
  const std::string stored = request.toJson();
  CHECK_THROWS_AS(BatchRequest::parse(stored, Fields::v1), Refusal);
  CHECK(BatchRequest::parseStored(stored).toJson() == stored);
}
