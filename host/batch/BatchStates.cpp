#include "batch/BatchStates.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hearth::host {

namespace {

using S = BatchState;

constexpr std::uint32_t bit(S state) {
  return 1u << static_cast<unsigned>(state);
}

struct Row {
  S state;
  std::string_view name;
  std::uint32_t next;  // bits of the states that may follow
};

constexpr std::uint32_t ends = bit(S::dead) | bit(S::killed) | bit(S::success);
constexpr std::uint32_t live = bit(S::shuttingDown) | ends;
constexpr std::array<Row, batchStateCount> table{{
    {S::notStarted, "not_started", bit(S::starting) | bit(S::recovering) | live},
    // Back in the queue: the host died before anything was submitted.
    {S::starting, "starting", bit(S::running) | bit(S::recovering) | bit(S::notStarted) | live},
    {S::recovering, "recovering", bit(S::starting) | bit(S::running) | bit(S::notStarted) | live},
    {S::running, "running", bit(S::recovering) | live},
    {S::shuttingDown, "shutting_down", ends},
    {S::dead, "dead", 0},
    {S::killed, "killed", 0},
    {S::success, "success", 0},
}};

const Row& row(S state) {
  return table[static_cast<std::size_t>(state)];
}

}  // namespace

std::string_view name(BatchState state) {
  return row(state).name;
}

std::optional<BatchState> batchState(std::string_view name) {
  for (const Row& entry : table)
    if (entry.name == name) return entry.state;
  return std::nullopt;
}

bool mayFollow(BatchState from, BatchState to) {
  return (row(from).next & bit(to)) != 0;
}

bool isFinal(BatchState state) {
  return row(state).next == 0;
}

}  // namespace hearth::host
