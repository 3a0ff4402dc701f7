#include "api/Bundle.h"

#include <catch2/catch.hpp>
#include <string>

using hearth::host::Bundle;

namespace {

void check(const std::string& text, const std::string& livy, const std::string& data,
           const std::string& metadata) {
  INFO(text);
  CHECK(Bundle::forLivy(text).data == livy);
  CHECK(Bundle::forLivy(text).metadata.empty());
  CHECK(Bundle::forV1(text).data == data);
  CHECK(Bundle::forV1(text).metadata == metadata);
}

void checkSame(const std::string& text) {
  check(text, text, text, "");
}

}  // namespace

TEST_CASE("what is Hearth's own is on /v1 and never on Livy's face") {
  check(R"({"hearth":{"data":{"text/plain":"t"},"metadata":{"rows":1}},"application/json":[1]})",
        R"({"application/json":[1]})", R"({"application/json":[1],"text/plain":"t"})",
        R"({"rows":1})");
  check(R"({"a":"}\"{","hearth":{"data":{"b":[{"c":"]"}]}}})", R"({"a":"}\"{"})",
        R"({"a":"}\"{","b":[{"c":"]"}]})", "");
  check(R"({ "a" : 1 , "hearth" : { "metadata" : {} } , "z" : 2 })", R"({ "a" : 1 , "z" : 2 })",
        R"({ "a" : 1 , "z" : 2 })", "{}");
  check(R"({"hearth":{"data":{"text/plain":"t"}}})", "{}", R"({"text/plain":"t"})", "");
  check(R"({"hearth":{}})", "{}", "{}", "");
  check(R"({"hearth":{"data":{}},"a":1})", R"({"a":1})", R"({"a":1})", "");
}

TEST_CASE("printed text stays the only text/plain, as JSON has no two members of one name") {
  check(R"({"text/plain":"p","hearth":{"data":{"text/plain":"t","x":1}},"a":1})",
        R"({"text/plain":"p","a":1})", R"({"text/plain":"p","a":1,"x":1})", "");
  check(R"({"text/plain":"p","hearth":{"data":{"text/plain":"t"},"metadata":{"n":1}},"a":1})",
        R"({"text/plain":"p","a":1})", R"({"text/plain":"p","a":1})", R"({"n":1})");
}

TEST_CASE("a bundle that only mentions the word is served as it came") {
  checkSame("");
  checkSame("{}");
  checkSame(R"({"text/plain":"\"hearth\":{}"})");
  checkSame(R"({"application/json":{"hearth":{"data":{}}}})");
  checkSame(R"({"a":"hearth"})");
  checkSame(R"({"hearth":5})");
}

TEST_CASE("a bundle that is no JSON does no harm") {
  for (const char* text : {R"({"hearth")", R"({"hearth":)", R"({"hearth":{)", R"({"hearth":{"a)",
                           R"("hearth")", R"([{"hearth":{}}])",
                           R"({"a\)"
                           "\"hearth\""})
    checkSame(text);
}
