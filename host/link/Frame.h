// Frames of a driver link, as plugin-api/doc/link.md has them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace hearth::host {

enum class FrameType : std::uint8_t {
  hello = 1,
  challenge = 2,
  proof = 3,
  welcome = 4,
  refused = 5,
  ack = 6,
  execute = 16,
  interrupt = 17,
  complete = 18,
  open = 19,
  stop = 20,
  prepare = 21,
  ready = 32,
  output = 33,
  progress = 34,
  done = 35,
  reply = 36,
  failed = 37,
  info = 38,
  bye = 39,
  display = 40
};

struct Frame {
  std::uint16_t channel = 0;
  std::uint8_t type = 0;  ///< a FrameType, or one that only a plugin knows
  std::uint8_t outcome = 0;
  std::uint64_t statement = 0;
  std::uint64_t sequence = 0;
  std::string payload;
};

constexpr std::size_t frameHeaderBytes = 24;
constexpr std::size_t maxFramePayload = 64u * 1024 * 1024;

std::array<unsigned char, frameHeaderBytes> encodeHeader(const Frame& frame);
/// Fills all but the payload and returns its length, which may exceed maxFramePayload: the caller
/// checks.
std::uint32_t decodeHeader(const unsigned char* bytes, Frame& frame);

}  // namespace hearth::host
