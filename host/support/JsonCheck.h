// Whether a text is JSON, without making anything of it.
#pragma once

#include <string>
#include <string_view>

namespace hearth::host {

/// Empty where `text` is one JSON object, of any size and up to 1,000 levels deep; else why it is
/// not, with the place. One pass, no memory but for the levels. Thread-safe.
std::string whyNoJsonObject(std::string_view text);

}  // namespace hearth::host
