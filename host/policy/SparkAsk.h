// How much of the machine or cluster a request asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policy/SparkRequest.h"

namespace hearth::host {

struct SparkAsk {
  std::int64_t memory = 0;  ///< bytes
  std::int64_t cores = 0;
  std::string text;  ///< of what it is made: "driver 1g, 2 executors of 4g"
};

/// A size as Spark writes it ("2g", "512m", "1024" of `unit` bytes); nothing where it is none, or
/// more than fits.
std::optional<std::int64_t> sparkSize(const std::string& text, std::int64_t unit);

/// Driver and executors of the request, by its fields and conf; where they say nothing, by Spark's
/// defaults. `master` is the one in effect where the request gives none; empty: local. Throws
/// PolicyRefusal under `rule` for what has no bound (dynamic allocation without a maximum) and for
/// values that are no sizes or counts.
SparkAsk sparkAsk(const SparkRequest& request, const std::string& master, const std::string& rule);

}  // namespace hearth::host
