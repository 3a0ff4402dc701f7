#include "link/Frame.h"

namespace hearth::host {

namespace {

template <typename Number>
void put(unsigned char* to, Number value) {
  for (std::size_t i = sizeof(Number); i-- > 0; value = static_cast<Number>(value >> 8))
    to[i] = static_cast<unsigned char>(value & 0xFF);
}

template <>
void put<std::uint8_t>(unsigned char* to, std::uint8_t value) {
  *to = value;
}

template <typename Number>
Number get(const unsigned char* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) value = value << 8 | from[i];
  return static_cast<Number>(value);
}

}  // namespace

std::array<unsigned char, frameHeaderBytes> encodeHeader(const Frame& frame) {
  std::array<unsigned char, frameHeaderBytes> bytes{};
  put(bytes.data(), static_cast<std::uint32_t>(frame.payload.size()));
  put(bytes.data() + 4, frame.channel);
  put(bytes.data() + 6, frame.type);
  put(bytes.data() + 7, frame.outcome);
  put(bytes.data() + 8, frame.statement);
  put(bytes.data() + 16, frame.sequence);
  return bytes;
}

std::uint32_t decodeHeader(const unsigned char* bytes, Frame& frame) {
  frame.channel = get<std::uint16_t>(bytes + 4);
  frame.type = get<std::uint8_t>(bytes + 6);
  frame.outcome = get<std::uint8_t>(bytes + 7);
  frame.statement = get<std::uint64_t>(bytes + 8);
  frame.sequence = get<std::uint64_t>(bytes + 16);
  return get<std::uint32_t>(bytes);
}

}  // namespace hearth::host
