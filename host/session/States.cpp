#include "session/States.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hearth::host {

namespace {

template <typename State>
constexpr std::uint32_t bit(State state) {
  return 1u << static_cast<unsigned>(state);
}

template <typename State>
struct Row {
  State state;
  std::string_view name;
  std::uint32_t next;  // bits of the states that may follow
};

using S = SessionState;
// Every live state may go to the four ends and to shutting_down; a session in `error` still holds
// its driver until it is ended.
constexpr std::uint32_t ends = bit(S::shuttingDown) | bit(S::error) | bit(S::dead) | bit(S::killed);
constexpr std::array<Row<S>, sessionStateCount> sessionTable{{
    {S::notStarted, "not_started", bit(S::starting) | ends},
    {S::starting, "starting", bit(S::idle) | bit(S::busy) | bit(S::running) | ends},
    {S::recovering, "recovering", bit(S::idle) | bit(S::busy) | bit(S::running) | ends},
    {S::idle, "idle", bit(S::busy) | bit(S::recovering) | bit(S::success) | ends},
    {S::running, "running",
     bit(S::idle) | bit(S::busy) | bit(S::recovering) | bit(S::success) | ends},
    {S::busy, "busy", bit(S::idle) | bit(S::recovering) | bit(S::success) | ends},
    {S::shuttingDown, "shutting_down", bit(S::dead) | bit(S::killed) | bit(S::success)},
    {S::error, "error", bit(S::shuttingDown) | bit(S::dead) | bit(S::killed)},
    {S::dead, "dead", 0},
    {S::killed, "killed", 0},
    {S::success, "success", 0},
}};

using T = StatementState;
constexpr std::array<Row<T>, statementStateCount> statementTable{{
    {T::waiting, "waiting", bit(T::running) | bit(T::cancelled) | bit(T::available)},
    {T::running, "running", bit(T::available) | bit(T::cancelling) | bit(T::cancelled)},
    {T::available, "available", 0},
    // Code that ends by itself while it is being cancelled has a result, and it is told.
    {T::cancelling, "cancelling", bit(T::cancelled) | bit(T::available)},
    {T::cancelled, "cancelled", 0},
}};

template <typename Table, typename State>
const auto& row(const Table& table, State state) {
  return table[static_cast<std::size_t>(state)];
}

template <typename State, typename Table>
std::optional<State> byName(const Table& table, std::string_view name) {
  for (const auto& entry : table)
    if (entry.name == name) return entry.state;
  return std::nullopt;
}

}  // namespace

std::string_view name(SessionState state) {
  return row(sessionTable, state).name;
}
std::string_view name(StatementState state) {
  return row(statementTable, state).name;
}
std::optional<SessionState> sessionState(std::string_view name) {
  return byName<SessionState>(sessionTable, name);
}
std::optional<StatementState> statementState(std::string_view name) {
  return byName<StatementState>(statementTable, name);
}
bool mayFollow(SessionState from, SessionState to) {
  return (row(sessionTable, from).next & bit(to)) != 0;
}
bool mayFollow(StatementState from, StatementState to) {
  return (row(statementTable, from).next & bit(to)) != 0;
}
bool isFinal(SessionState state) {
  return row(sessionTable, state).next == 0;
}
bool isFinal(StatementState state) {
  return row(statementTable, state).next == 0;
}
bool isSettled(SessionState state) {
  return state != S::notStarted && state != S::starting && state != S::recovering &&
         state != S::shuttingDown;
}

}  // namespace hearth::host
