#include <catch2/catch.hpp>

#include "link/Frame.h"

using namespace hearth::host;

TEST_CASE("a frame's header has the bytes that drivers in other languages expect", "[link]") {
  Frame frame;
  frame.channel = 0x0102;
  frame.type = 35;
  frame.outcome = 4;
  frame.statement = 0x1122334455667788u;
  frame.sequence = 0x99AABBCCDDEEFF01u;
  frame.payload = std::string(0x010203, 'x');
  const std::array<unsigned char, frameHeaderBytes> expected = {
      0x00, 0x01, 0x02, 0x03, 0x01, 0x02, 35,   4,    0x11, 0x22, 0x33, 0x44,
      0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x01};
  CHECK(encodeHeader(frame) == expected);

  Frame read;
  CHECK(decodeHeader(expected.data(), read) == 0x010203u);
  CHECK(read.channel == frame.channel);
  CHECK(read.type == frame.type);
  CHECK(read.outcome == frame.outcome);
  CHECK(read.statement == frame.statement);
  CHECK(read.sequence == frame.sequence);
}

TEST_CASE("a length above the bound is told as it is, not cut", "[link]") {
  std::array<unsigned char, frameHeaderBytes> bytes{};
  bytes.fill(0xFF);
  Frame frame;
  CHECK(decodeHeader(bytes.data(), frame) == 0xFFFFFFFFu);
}
