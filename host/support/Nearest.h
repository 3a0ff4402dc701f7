// "Did you mean": the known name most like a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::host {

/// The candidate with the smallest edit distance to `name`, or an empty string when none is near
/// (distance above a third of the name's length, at least 2).
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace hearth::host
