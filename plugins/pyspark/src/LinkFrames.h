// The numbers of doc/link.md, "Frame types", that a follower deals with.
#pragma once

#include <cstdint>

namespace hearth::pyspark::frames {

inline constexpr std::uint8_t execute = 16;
inline constexpr std::uint8_t interrupt = 17;
inline constexpr std::uint8_t complete = 18;
inline constexpr std::uint8_t stop = 20;
inline constexpr std::uint8_t ready = 32;
inline constexpr std::uint8_t output = 33;
inline constexpr std::uint8_t progress = 34;
inline constexpr std::uint8_t done = 35;
inline constexpr std::uint8_t reply = 36;
inline constexpr std::uint8_t failed = 37;

}  // namespace hearth::pyspark::frames
