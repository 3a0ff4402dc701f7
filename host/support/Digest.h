// Fingerprints of texts.
#pragma once

#include <string>
#include <string_view>

namespace hearth::host {

/// SHA-256 as 64 hexadecimal digits.
std::string sha256(std::string_view text);
/// So many random bytes as hexadecimal digits, from the system's generator for secrets.
std::string randomHex(std::size_t bytes);

}  // namespace hearth::host
