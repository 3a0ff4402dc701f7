// The states of sessions and statements, and which may follow which. Names are Livy's.
#pragma once

#include <optional>
#include <string_view>

namespace hearth::host {

enum class SessionState {
  notStarted,
  starting,
  recovering,
  idle,
  running,
  busy,
  shuttingDown,
  error,
  dead,
  killed,
  success
};
constexpr int sessionStateCount = 11;

enum class StatementState { waiting, running, available, cancelling, cancelled };
constexpr int statementStateCount = 5;

std::string_view name(SessionState state);
std::string_view name(StatementState state);
std::optional<SessionState> sessionState(std::string_view name);
std::optional<StatementState> statementState(std::string_view name);

/// Whether the table allows the step. Staying is no step.
bool mayFollow(SessionState from, SessionState to);
bool mayFollow(StatementState from, StatementState to);

/// No step leads out of it.
bool isFinal(SessionState state);
bool isFinal(StatementState state);
/// A client that waits for the session to settle need not wait longer.
bool isSettled(SessionState state);

}  // namespace hearth::host
