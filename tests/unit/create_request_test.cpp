#include "session/CreateRequest.h"

#include <catch2/catch.hpp>
#include <string>

#include "session/Refusal.h"

using namespace hearth::host;
using Cause = Refusal::Cause;

namespace {

Refusal refusal(const std::string& body) {
  try {
    CreateRequest::parse(body);
  } catch (const Refusal& caught) {
    return caught;
  }
  FAIL("taken: " << body);
  return Refusal(Cause::notFound, "");
}

}  // namespace

TEST_CASE("every property of a session reaches the plugin as it was sent") {
  const std::string body =
      R"({"kind":"pyspark","name":"first","proxyUser":"ann","jars":["/a.jar"],"pyFiles":["/b.py"],)"
      R"("files":["/c"],"archives":["/d.zip"],"driverMemory":"1g","driverCores":2,)"
      R"("executorMemory":"2g","executorCores":3,"numExecutors":4,"queue":"q",)"
      R"("conf":{"spark.x":"1"},"heartbeatTimeoutInSecond":5,"ttl":"1h","idleTimeout":"30m"})";
  const CreateRequest request = CreateRequest::parse(body);
  CHECK(request.kind == "pyspark");
  CHECK(request.numExecutors == 4);
  CHECK(CreateRequest::parse(request.toJson()).toJson() == request.toJson());
  CHECK(request.toJson() == body);
}

TEST_CASE("an empty object is a legal request") { CHECK(CreateRequest::parse("{}").toJson() == "{}"); }

TEST_CASE("null counts as not given, as Jackson's clients send it") {
  CHECK(CreateRequest::parse(R"({"kind":null,"name":null,"numExecutors":null})").toJson() == "{}");
}

TEST_CASE("numbers and booleans in conf become text, as in Livy") {
  const auto request = CreateRequest::parse(R"({"conf":{"a":5,"b":true,"c":1.5}})");
  CHECK(request.conf.at("a") == "5");
  CHECK(request.conf.at("b") == "true");
  CHECK(request.conf.at("c") == "1.5");
}

TEST_CASE("a body that is no JSON object is named malformed with its place") {
  for (const char* body : {"", "  ", "{\"kind\": ", "[]", "nope", "{} {}", "{\"a\":1}}", "\"x\"", "1"}) {
    INFO(body);
    CHECK(refusal(body).cause() == Cause::malformed);
  }
  CHECK_THAT(refusal("{\"kind\":\n  nope}").what(), Catch::Contains("line 2"));
}

TEST_CASE("text that is no UTF-8 is refused, not stored") {
  CHECK(refusal("{\"name\":\"\xff\xfe\"}").cause() == Cause::malformed);
  CHECK(refusal("{\"name\":\"\xed\xa0\x80\"}").cause() == Cause::malformed);
}

TEST_CASE("deep nesting is refused without taking the stack") {
  const std::string deep = "{\"conf\":" + std::string(100000, '[');
  CHECK(refusal(deep).cause() == Cause::malformed);
}

TEST_CASE("an unknown field is named with the nearest known one") {
  const Refusal unknown = refusal(R"({"executorCore":1})");
  CHECK(unknown.cause() == Cause::invalid);
  CHECK_THAT(unknown.what(), Catch::Contains("executorCore") && Catch::Contains("executorCores"));
}

TEST_CASE("a field of the wrong type is refused by name") {
  for (const char* body :
       {R"({"kind":5})", R"({"conf":"x"})", R"({"numExecutors":"two"})", R"({"numExecutors":-1})",
        R"({"numExecutors":1.5})", R"({"numExecutors":99999999999})", R"({"jars":"a"})",
        R"({"jars":[1]})", R"({"conf":{"a":[]}})", R"({"kind":""})", R"({"conf":{"a":"\u0000"}})"}) {
    INFO(body);
    CHECK(refusal(body).cause() == Cause::invalid);
  }
}

TEST_CASE("a name that could be taken for an id is refused as Livy does") {
  CHECK(std::string(refusal(R"({"name":"12"})").what()) == "Invalid session name: 12");
  CHECK(std::string(refusal(R"({"name":""})").what()) == "Invalid session name: ");
  CHECK(CreateRequest::parse(R"({"name":"12a"})").name == "12a");
}

TEST_CASE("times are Livy's spelling or refused") {
  CHECK(std::string(refusal(R"({"ttl":"soon"})").what()) == "Invalid time string: soon");
  CHECK(refusal(R"({"idleTimeout":"-5s"})").cause() == Cause::rejected);
  CHECK(CreateRequest::parse(R"({"ttl":"90min"})").ttl == "90min");
}
