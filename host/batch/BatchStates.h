// The states of batches, and which may follow which. Names are Livy's.
#pragma once

#include <optional>
#include <string_view>

namespace hearth::host {

enum class BatchState {
  notStarted,  ///< waits for its turn
  starting,    ///< is being submitted
  recovering,  ///< the host has come back and asks what became of it
  running,
  shuttingDown,  ///< its end was asked for
  dead,
  killed,
  success
};
constexpr int batchStateCount = 8;

std::string_view name(BatchState state);
std::optional<BatchState> batchState(std::string_view name);
/// Whether the table allows the step. Staying is no step.
bool mayFollow(BatchState from, BatchState to);
/// No step leads out of it.
bool isFinal(BatchState state);

}  // namespace hearth::host
