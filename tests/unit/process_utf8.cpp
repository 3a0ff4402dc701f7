#include <catch2/catch.hpp>
#include <random>

#include "support/Utf8.h"

using namespace hearth::host;

TEST_CASE("text in any script passes unchanged", "[utf8]") {
  const std::string text = u8"plain, Grüße, Привет, 日本語, \U0001F600, \u0000, \uFFFD, \U0010FFFF";
  CHECK(isValidUtf8(text));
  CHECK(repairUtf8(text) == text);
  CHECK(isValidUtf8(std::string("a\0b", 3)));
  CHECK(isValidUtf8(""));
}

TEST_CASE("bytes that are no text become U+FFFD, one for each ill-formed sequence", "[utf8]") {
  const std::string mark = "\xEF\xBF\xBD";
  const std::pair<std::string, std::string> cases[] = {
      {"a\xFFz", "a" + mark + "z"},
      {"\x80", mark},
      {"\xC0\xAF", mark + mark},                        // overlong
      {"\xE0\x80\xAF", mark + mark + mark},             // overlong
      {"\xED\xA0\x80", mark + mark + mark},             // surrogate
      {"\xF4\x90\x80\x80", mark + mark + mark + mark},  // above U+10FFFF
      {"\xE2\x82", mark},                               // cut short
      {"\xF0\x9F\x98z", mark + "z"},
      {"12345678\xE2\x82z", "12345678" + mark + "z"},
  };
  for (const auto& [bytes, text] : cases) {
    CHECK_FALSE(isValidUtf8(bytes));
    CHECK(repairUtf8(bytes) == text);
  }
}

TEST_CASE("what was repaired is valid, whatever it was", "[utf8]") {
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 3 ? random() : 'a');
    const std::string repaired = repairUtf8(bytes);
    REQUIRE(isValidUtf8(repaired));
    REQUIRE(isValidUtf8(bytes) == (repaired == bytes));
  }
}

TEST_CASE("a cut never splits a character", "[utf8]") {
  const std::string text = u8"aä€\U0001F600";  // 1, 2, 3 and 4 bytes
  const std::size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t limit = 0; limit < 12; ++limit)
    CHECK(utf8Prefix(text, limit) == expected[limit]);
  CHECK(utf8Prefix(std::string(10, '\x80'), 5) == 5);
}
