// The wire format: what a kernel must be able to read, and what must not be taken for a message.
#include "Wire.h"

#include <catch2/catch.hpp>
#include <hearth/json_members.hpp>

#include "Text.h"

using hearth::jsonItems;
using hearth::jsonMember;
using hearth::jsonMembers;
using hearth::jupyter::Frames;
using hearth::jupyter::FrameViews;
using hearth::jupyter::Message;
using hearth::jupyter::repairJson;
using hearth::jupyter::Wire;
using hearth::jupyter::WireError;

namespace {

/// `frames` have to outlive the message.
Message decode(const Wire& wire, const Frames& frames) {
  return wire.decode(FrameViews(frames.begin(), frames.end()));
}

}  // namespace

TEST_CASE("a message is signed as Jupyter's documentation has it") {
  // HMAC-SHA256 of header, parent, metadata and content under the key, computed with Python's hmac.
  const Frames frames{"<IDS|MSG>",
                      "5c0a0446f0692d96f3ca034443b71f20d4b310301c374b61d4d2c4b6f0d74bf2",
                      R"({"msg_id":"1","msg_type":"status"})",
                      R"({"msg_id":"2"})",
                      "{}",
                      R"({"execution_state":"idle"})"};
  const Message message = decode(Wire("a key"), frames);
  CHECK(message.type == "status");
  CHECK(message.id == "1");
  CHECK(message.parentId == "2");
  CHECK(message.content == R"({"execution_state":"idle"})");
}

TEST_CASE("what one side makes the other reads, after any identities, and before buffers") {
  Wire wire("key");
  const Wire other("key");
  Frames frames = wire.encode(wire.nextId(), "execute_request", R"({"code":"1"})");
  frames.insert(frames.begin(), {"identity", "another"});
  frames.push_back("buffer");
  const Message message = decode(other, frames);
  CHECK(message.type == "execute_request");
  CHECK(message.content == R"({"code":"1"})");
  CHECK(message.parentId.empty());
}

TEST_CASE("a message that was changed or made by another is refused") {
  Wire wire("key");
  const Frames good = wire.encode("1", "status", "{}");
  const auto part =
      GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{4}, std::size_t{5});
  Frames frames = good;
  frames[part].back() = frames[part].back() == '0' ? '1' : '0';
  CHECK_THROWS_WITH(decode(wire, frames), Catch::Contains("signature"));
  CHECK_THROWS_WITH(decode(Wire("other key"), good), Catch::Contains("signature"));
  frames = good;
  frames[1].clear();
  CHECK_THROWS_AS(decode(wire, frames), WireError);
}

TEST_CASE("frames that are no message are refused and not read beyond") {
  const Wire wire("key");
  for (const Frames& frames :
       {Frames{}, Frames{"x"}, Frames{"<IDS|MSG>"}, Frames{"<IDS|MSG>", "", "{}", "{}", "{}"}})
    CHECK_THROWS_AS(decode(wire, frames), WireError);
}

TEST_CASE("signed nonsense is refused, but in a reply, for which somebody waits") {
  Wire wire("key");
  CHECK_THROWS_AS(decode(wire, wire.encode("1", "stream", "[1]")), WireError);
  CHECK_THROWS_AS(decode(wire, wire.encode("1", "stream", "{")), WireError);
  const Frames frames = wire.encode("1", "execute_reply", "{");
  const Message reply = decode(wire, frames);
  CHECK(jsonMember(reply.content, "status") == "\"error\"");
}

TEST_CASE("text that no parser takes is put right, and other text stays as it is") {
  CHECK(repairJson("{\"a\":\"\\ud83d\\ude00 \\\\ud800 \xC3\xA9\"}") ==
        "{\"a\":\"\\ud83d\\ude00 \\\\ud800 \xC3\xA9\"}");
  CHECK(repairJson("\\ud800x\\udc00") == "\xEF\xBF\xBDx\xEF\xBF\xBD");
  CHECK(repairJson("\\ud800\\ud83d\\ude00") == "\xEF\xBF\xBD\\ud83d\\ude00");
  CHECK(repairJson("a\xFF\xC0\x80z\xED\xA0\x80") ==
        "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(repairJson("\xF0\x9F\x98\x80") == "\xF0\x9F\x98\x80");
  CHECK(repairJson("\xF0\x9F") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(repairJson("\\") == "\\");
}

TEST_CASE("members and items are found as they are written") {
  const auto members =
      jsonMembers(R"( { "a" : 1.50 , "b\"c":{"x":[1,"}"]},"d":"q\\", "e":[ ] ,"f":true} )");
  REQUIRE(members.size() == 5);
  CHECK(members[0] == hearth::JsonMember("a", "1.50"));
  CHECK(members[1] == hearth::JsonMember(R"(b\"c)", R"({"x":[1,"}"]})"));
  CHECK(members[2].second == R"("q\\")");
  CHECK(members[3].second == "[ ]");
  CHECK(members[4].second == "true");
  CHECK(jsonMembers("{}").empty());
  CHECK(jsonMembers("[1]").empty());
  CHECK(jsonItems(R"([1, {"a":[2]} ,"]", null])") ==
        std::vector<std::string_view>{"1", R"({"a":[2]})", "\"]\"", "null"});
  CHECK(jsonItems("[]").empty());
  for (const char* cut : {"{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":[", "{\"a\":\"\\"})
    CHECK_NOTHROW(jsonMembers(cut));
}

TEST_CASE("text comes out of JSON as it went in") {
  using hearth::jupyter::textOf;
  CHECK(textOf(R"("a\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00é")") ==
        "a\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xC3\xA9");
  CHECK(textOf(R"("\u0000")") == std::string(1, '\0'));
  CHECK(textOf("\"\"").empty());
  CHECK(textOf("1").empty());
  CHECK(textOf("").empty());
  for (const char* cut : {"\"", "\"\\\"", "\"\\u\"", "\"\\u12\"", "\"\\ud800\\u\""})
    CHECK_NOTHROW(textOf(cut));
}

TEST_CASE("colours of terminals go, text stays") {
  using hearth::jupyter::withoutAnsi;
  CHECK(withoutAnsi("\x1b[0;31mValueError\x1b[0m: \xC3\xA9 [1m") == "ValueError: \xC3\xA9 [1m");
  CHECK(withoutAnsi("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\") == "link");
  CHECK(withoutAnsi("a\x1b") == "a");
  CHECK(withoutAnsi("a\x1b[") == "a");
}
