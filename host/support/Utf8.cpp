#include "support/Utf8.h"

#include <cstdint>
#include <cstring>

namespace hearth::host {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Step {
  std::size_t length;  ///< of the character, or of the ill-formed sequence to be replaced as one
  bool valid;
};

bool within(unsigned char byte, unsigned low, unsigned high) {
  return byte >= low && byte <= high;
}

/// Reads one character at `at` by the table of well-formed sequences (Unicode, table 3-7).
Step readOne(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {1, true};

  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (within(lead, 0xC2, 0xDF)) {
    length = 2;
  } else if (within(lead, 0xE0, 0xEF)) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (within(lead, 0xF0, 0xF4)) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i >= bytes.size() || !within(byte(at + i), low, high)) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

/// Position of the first byte of the first ill-formed sequence, or the size.
std::size_t firstInvalid(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    // Most text is ASCII: eight bytes at a time.
    while (at + 8 <= bytes.size()) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, 8);
      if (word & 0x8080808080808080u) break;
      at += 8;
    }
    if (at == bytes.size()) break;
    const Step step = readOne(bytes, at);
    if (!step.valid) return at;
    at += step.length;
  }
  return at;
}

}  // namespace

bool isValidUtf8(std::string_view bytes) {
  return firstInvalid(bytes) == bytes.size();
}

std::string repairUtf8(std::string bytes) {
  std::size_t at = firstInvalid(bytes);
  if (at == bytes.size()) return bytes;
  std::string text(bytes, 0, at);
  text.reserve(bytes.size() + 16);
  while (at < bytes.size()) {
    const Step step = readOne(bytes, at);
    if (step.valid)
      text.append(bytes, at, step.length);
    else
      text.append(replacement);
    at += step.length;
  }
  return text;
}

std::size_t utf8Prefix(std::string_view bytes, std::size_t limit) {
  if (bytes.size() <= limit) return bytes.size();
  std::size_t cut = limit;
  // Back over continuation bytes to the lead of the character that the limit would cut.
  while (cut > 0 && limit - cut < 3 && within(static_cast<unsigned char>(bytes[cut]), 0x80, 0xBF))
    --cut;
  const Step step = readOne(bytes, cut);
  // Bytes that form no character cannot be cut in two.
  return step.valid && cut > 0 ? cut : limit;
}

}  // namespace hearth::host
