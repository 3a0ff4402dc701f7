#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "store_bench.h"

using namespace hearth::test;

namespace {

constexpr char fileVariable[] = "HEARTH_TEST_STORE";

void say(const std::string& line) {
  const std::string text = line + "\n";
  // One write: a line is there whole or not at all.
  if (::write(3, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ::_exit(1);
}

}  // namespace

// Hidden: the child of the test below. Says "n" for a number handed out, "s" and "t" for what is
// committed.
TEST_CASE("writer that is to be killed", "[.store-child]") {
  const char* const file = std::getenv(fileVariable);
  REQUIRE(file != nullptr);
  SqliteStore store(file);
  for (;;) {
    const std::int64_t id = store.nextSessionId();
    say("n " + std::to_string(id) + " 0");
    store.putSession(sessionRow(id), [id](const std::string& error) {
      if (error.empty()) say("s " + std::to_string(id) + " 0");
    });
    for (int i = 0; i < 5; ++i)
      store.putStatement(statementRow(id, i), [id, i](const std::string& error) {
        if (error.empty()) say("t " + std::to_string(id) + " " + std::to_string(i));
      });
    // Now and then the queue is let run dry, so that groups of all sizes are killed.
    if (id % 3 == 0) {
      Outcome outcome;
      store.barrier(outcome.done());
      outcome.get();
    }
  }
}

TEST_CASE("kill -9 at any moment loses nothing that was acknowledged and repeats no id",
          "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  std::set<std::int64_t> numbers;
  std::set<std::int64_t> sessions;
  std::set<std::pair<std::int64_t, int>> statements;
  std::mt19937 random(31);
  std::string self(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
  REQUIRE(length > 0);
  self.resize(static_cast<std::size_t>(length));
  ::setenv(fileVariable, file.c_str(), 1);
  for (int round = 0; round < 12; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
    posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    std::string name = "writer that is to be killed";
    std::string flag = "-o";
    std::string nowhere = "/dev/null";
    char* arguments[] = {self.data(), name.data(), flag.data(), nowhere.data(), nullptr};
    pid_t pid = -1;
    REQUIRE(::posix_spawn(&pid, self.c_str(), &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);

    std::FILE* const lines = ::fdopen(ends[0], "r");
    REQUIRE(lines != nullptr);
    const unsigned killAfter = 1 + random() % 400;
    unsigned seen = 0;
    bool repeated = false;
    char what = 0;
    long long id = 0;
    int statement = 0;
    while (std::fscanf(lines, "%c %lld %d\n", &what, &id, &statement) == 3) {
      if (what == 'n') repeated = !numbers.insert(id).second || repeated;
      if (what == 's') sessions.insert(id);
      if (what == 't') statements.insert({id, statement});
      if (++seen == killAfter) ::kill(pid, SIGKILL);
    }
    std::fclose(lines);
    int status = 0;
    ::waitpid(pid, &status, 0);
    INFO("round " << round << ", " << seen << " lines");
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(WTERMSIG(status) == SIGKILL);
    REQUIRE_FALSE(repeated);

    SqliteStore store(file);
    int lost = 0;
    for (const std::int64_t one : sessions) lost += store.session(one) ? 0 : 1;
    for (const auto& [session, one] : statements) lost += store.statement(session, one) ? 0 : 1;
    REQUIRE(lost == 0);
    REQUIRE(numbers.insert(store.nextSessionId()).second);
  }
  ::unsetenv(fileVariable);
  CHECK(sessions.size() > 20);
}
