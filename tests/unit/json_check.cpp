#include <catch2/catch.hpp>
#include <string>

#include "support/JsonCheck.h"

using hearth::host::whyNoJsonObject;

TEST_CASE("what is served as it came is a JSON object", "[json]") {
  CHECK(whyNoJsonObject("{}").empty());
  CHECK(whyNoJsonObject(R"( {"a":[1,-2.5e300,null,true,"\u00e9\n",{}],"a":1e999} )").empty());
  CHECK(whyNoJsonObject("{\"a\":\"" + std::string(5'000'000, 'x') + "\"}").empty());
  CHECK(whyNoJsonObject("{\"a\":" + std::string(900, '[') + std::string(900, ']') + "}").empty());
}

TEST_CASE("an answer is not broken by a result that is no JSON object", "[json]") {
  for (const std::string text :
       {"", " ", "[]", "1", "{", "{\"a\":1", "{\"a\":1}}", "{\"a\":1},{}", "{a:1}", "{\"a\":}",
        "{\"a\":\"x\ny\"}", "{\"a\":1}\nGET / HTTP/1.1", "{'a':1}", "{\"a\":01}"})
    CHECK_FALSE(whyNoJsonObject(text).empty());
  CHECK_FALSE(whyNoJsonObject(std::string(1'000'000, '{')).empty());
  CHECK_FALSE(
      whyNoJsonObject("{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}")
          .empty());
}
