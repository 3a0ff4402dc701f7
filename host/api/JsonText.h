// Finding one's way in JSON text without parsing it whole. The text is well-formed, or else less is
// found; nothing throws.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace hearth::host::json_text {

/// The first place from `at` on that is no white space; the end where there is none.
std::size_t skipSpace(std::string_view text, std::size_t at);
/// Behind the value that begins at `at`; npos where it has no end.
std::size_t skipValue(std::string_view text, std::size_t at);

struct Member {
  std::size_t begin;  ///< of its key
  std::size_t end;    ///< behind its value
  std::string_view value;
};
/// A member of an object by its key in quotes, as it is written.
std::optional<Member> find(std::string_view object, std::string_view quotedKey);

}  // namespace hearth::host::json_text
