#include <catch2/catch.hpp>

#include "batch/BatchStates.h"

using namespace hearth::host;
using S = BatchState;

TEST_CASE("states are called as Livy's clients know them", "[batch]") {
  const std::pair<S, const char*> names[] = {{S::notStarted, "not_started"},
                                             {S::starting, "starting"},
                                             {S::recovering, "recovering"},
                                             {S::running, "running"},
                                             {S::shuttingDown, "shutting_down"},
                                             {S::dead, "dead"},
                                             {S::killed, "killed"},
                                             {S::success, "success"}};
  for (const auto& [state, text] : names) {
    CHECK(name(state) == text);
    CHECK(batchState(text) == state);
  }
  CHECK_FALSE(batchState("idle"));
}

TEST_CASE("an end is an end", "[batch]") {
  for (int from = 0; from < batchStateCount; ++from) {
    const auto state = static_cast<S>(from);
    const bool end = state == S::dead || state == S::killed || state == S::success;
    CHECK(isFinal(state) == end);
    CHECK_FALSE(mayFollow(state, state));
    for (int to = 0; to < batchStateCount && end; ++to)
      CHECK_FALSE(mayFollow(state, static_cast<S>(to)));
    if (!end) CHECK(mayFollow(state, S::killed));
  }
  CHECK_FALSE(mayFollow(S::running, S::notStarted));
  CHECK_FALSE(mayFollow(S::shuttingDown, S::running));
}
