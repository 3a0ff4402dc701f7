// What a check's process leaves behind for the one that has started it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "Check.h"

namespace hearth::check {

/// In the check's process: where results go. Without it, endWithFailure() prints and ends with 1.
void verdictGoesTo(const std::filesystem::path& file);
void writeVerdict(const Result& result);
/// Ends the process at once with a failure. Safe in a signal handler.
[[noreturn]] void endWithFailure(const char* saw);

/// In the other: what was left, if anything was.
std::optional<Result> readVerdict(const std::filesystem::path& file);

}  // namespace hearth::check
