// The numbers of doc/link.md, "Frame types", that plugins deal with.
#pragma once

#include <cstdint>

namespace hearth::spark::frames {

inline constexpr std::uint8_t execute = 16;
inline constexpr std::uint8_t interrupt = 17;
inline constexpr std::uint8_t complete = 18;
inline constexpr std::uint8_t stop = 20;
inline constexpr std::uint8_t prepare = 21;
inline constexpr std::uint8_t shared = 22;
inline constexpr std::uint8_t inspect = 23;
inline constexpr std::uint8_t ready = 32;
inline constexpr std::uint8_t output = 33;
inline constexpr std::uint8_t progress = 34;
inline constexpr std::uint8_t done = 35;
inline constexpr std::uint8_t reply = 36;
inline constexpr std::uint8_t failed = 37;
inline constexpr std::uint8_t info = 38;
inline constexpr std::uint8_t bye = 39;
inline constexpr std::uint8_t display = 40;

/// Outcome of an EXECUTE whose payload is {"code":..,"options":{..}}; 0: the code alone.
inline constexpr std::uint8_t withOptions = 1;

}  // namespace hearth::spark::frames
