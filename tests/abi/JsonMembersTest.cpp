#include <catch2/catch.hpp>
#include <hearth/json_members.hpp>
#include <string>

using hearth::jsonItems;
using hearth::jsonMember;
using hearth::jsonMembers;
using hearth::jsonText;

TEST_CASE("members of an object are found as they are written") {
  const std::string object = R"( {"a": 1e400, "b":{"c":[1,"}"]} , "d":"x\"y"} )";
  CHECK(jsonMembers(object).size() == 3);
  CHECK(jsonMember(object, "a") == "1e400");
  CHECK(jsonMember(object, "b") == R"({"c":[1,"}"]})");
  CHECK(jsonMember(object, "d") == R"("x\"y")");
  CHECK(jsonMember(object, "e").empty());
  CHECK(jsonItems(R"([1, [2], "a,b"])").size() == 3);
}

TEST_CASE("text of a plugin's configuration is what the operator wrote") {
  CHECK(jsonText(R"("plain")") == "plain");
  CHECK(jsonText(R"("a\/b\\c\"d\n\t\r\b\f")") == "a/b\\c\"d\n\t\r\b\f");
  CHECK(jsonText(R"("\u0041\u00e9\u20AC\ud83d\ude00")") == "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(jsonText("\"\xC3\xA9\"") == "\xC3\xA9");
  CHECK(jsonText(R"("\ud83d!")") == "\xEF\xBF\xBD!");
  CHECK(jsonText(R"("\ude00")") == "\xEF\xBF\xBD");
  CHECK(jsonText("12").empty());
  CHECK(jsonText("").empty());
  CHECK(jsonText("\"").empty());
  CHECK(jsonText(R"("\u12")") == "u12");  // not valid: something, and nothing read beyond
}
