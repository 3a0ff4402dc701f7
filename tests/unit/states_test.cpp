#include "session/States.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>

using namespace hearth::host;

namespace {

template <typename State, int Count>
std::set<std::pair<std::string, std::string>> allowedSteps() {
  std::set<std::pair<std::string, std::string>> steps;
  for (int from = 0; from < Count; ++from)
    for (int to = 0; to < Count; ++to)
      if (mayFollow(static_cast<State>(from), static_cast<State>(to)))
        steps.emplace(name(static_cast<State>(from)), name(static_cast<State>(to)));
  return steps;
}

}  // namespace

TEST_CASE("a statement goes only the ways that Livy's clients know") {
  const std::set<std::pair<std::string, std::string>> expected = {
      {"waiting", "running"},    {"waiting", "cancelled"},    {"waiting", "available"},
      {"running", "available"},  {"running", "cancelling"},   {"running", "cancelled"},
      {"cancelling", "cancelled"}, {"cancelling", "available"}};
  CHECK((allowedSteps<StatementState, statementStateCount>()) == expected);
}

TEST_CASE("a session that has ended never comes back to life") {
  for (const char* end : {"dead", "killed", "success"}) {
    const auto state = sessionState(end);
    REQUIRE(state);
    CHECK(isFinal(*state));
    for (int to = 0; to < sessionStateCount; ++to)
      CHECK_FALSE(mayFollow(*state, static_cast<SessionState>(to)));
  }
}

TEST_CASE("every session state that is not an end can be ended") {
  for (int from = 0; from < sessionStateCount; ++from) {
    const auto state = static_cast<SessionState>(from);
    INFO(name(state));
    if (isFinal(state)) continue;
    CHECK((mayFollow(state, SessionState::dead) && mayFollow(state, SessionState::killed)));
    if (state != SessionState::shuttingDown) CHECK(mayFollow(state, SessionState::shuttingDown));
  }
}

TEST_CASE("a session that shuts down takes no work again") {
  CHECK_FALSE(mayFollow(SessionState::shuttingDown, SessionState::idle));
  CHECK_FALSE(mayFollow(SessionState::shuttingDown, SessionState::busy));
  CHECK_FALSE(mayFollow(SessionState::error, SessionState::idle));
}

TEST_CASE("state names are Livy's and read back") {
  const char* names[] = {"not_started", "starting", "recovering", "idle", "running", "busy",
                         "shutting_down", "error", "dead", "killed", "success"};
  for (int i = 0; i < sessionStateCount; ++i) {
    CHECK(name(static_cast<SessionState>(i)) == names[i]);
    CHECK(sessionState(names[i]) == static_cast<SessionState>(i));
  }
  CHECK_FALSE(sessionState("Idle"));
  CHECK_FALSE(statementState(""));
}
