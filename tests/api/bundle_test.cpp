#include "api/Bundle.h"

#include <catch2/catch.hpp>
#include <string>

#include "api/ResultRows.h"

using hearth::host::Bundle;
using hearth::host::ResultRows;

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

TEST_CASE("rows are paged as they were written") {
  const std::string bundle =
      R"({"text/plain":"]","application/json":{"schema":{"fields":[]},"data":[ [1,"],["] ,[ 2.50 ], [{"a":[]}]]}})";
  const auto page = [&](std::int64_t from, std::int64_t size) {
    const auto rows = ResultRows::of(bundle, from, size);
    REQUIRE(rows);
    CHECK(rows->total == 3);
    CHECK(rows->columns == R"({"fields":[]})");
    return std::to_string(rows->from) + rows->rows;
  };
  CHECK(page(0, 2) == R"(0[[1,"],["],[ 2.50 ]])");
  CHECK(page(2, 9) == R"(2[[{"a":[]}]])");
  CHECK(page(1, 0) == "1[]");
  CHECK(page(7, 9) == "3[]");
}

TEST_CASE("rows are those of a table too, and other results have none") {
  const auto table = ResultRows::of(
      R"({"application/vnd.livy.table.v1+json":{"headers":[{"name":"0"}],"data":[[1],[2]]}})", 1,
      5);
  REQUIRE(table);
  CHECK(table->mime == "application/vnd.livy.table.v1+json");
  CHECK(table->columns == R"([{"name":"0"}])");
  CHECK(table->rows == "[[2]]");
  for (const char* text :
       {"", "{}", R"({"text/plain":"x"})", R"({"application/json":[1,2]})",
        R"({"application/json":{"schema":1,"data":2}})", R"({"application/json":{"data":[1]}})"})
    CHECK_FALSE(ResultRows::of(text, 0, 5));
  const auto none = ResultRows::of(R"({"application/json":{"schema":{},"data":[]}})", 0, 5);
  REQUIRE(none);
  CHECK(none->rows == "[]");
}
