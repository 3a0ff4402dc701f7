// UTF-8: told from other bytes, and repaired.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearth::host {

/// True for well-formed UTF-8 (no surrogates, nothing overlong, nothing above U+10FFFF). NUL is
/// text.
bool isValidUtf8(std::string_view bytes);

/// `bytes` with each ill-formed sequence replaced by one U+FFFD, as browsers do. Text that is valid
/// comes back unchanged and uncopied.
std::string repairUtf8(std::string bytes);

/// Length of the longest prefix of at most `limit` bytes that does not cut a character in two.
/// Never 0 for a `limit` of 4 and more and bytes that are not empty, whatever they are.
std::size_t utf8Prefix(std::string_view bytes, std::size_t limit);

}  // namespace hearth::host
