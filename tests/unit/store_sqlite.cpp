#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <thread>

#include "store_bench.h"
#include "support/FileContent.h"

using namespace hearth::test;

namespace {

template <typename Rows>
std::vector<std::int64_t> idsOf(const Rows& rows) {
  std::vector<std::int64_t> ids;
  for (const auto& row : rows) ids.push_back(row.id);
  return ids;
}

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("sessions and statements come back as they were put, also after a restart", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  SessionRow session = sessionRow(3, "näme '\"; --");
  session.deleted = true;
  session.ended = 1700000000789;
  StatementRow statement = statementRow(3, 1);
  statement.code = std::string("a\0b\nä", 6);
  statement.bundle = std::string(3 * 1024 * 1024, 'x');
  statement.err.clear();
  {
    SqliteStore store(file);
    CHECK(put(store, session).empty());
    CHECK(put(store, statement).empty());
  }
  const SqliteStore store(file);
  const auto s = store.session(3);
  REQUIRE(s);
  CHECK(s->id == session.id);
  CHECK(s->name == session.name);
  CHECK(s->owner == session.owner);
  CHECK(s->proxyUser == session.proxyUser);
  CHECK(s->kind == session.kind);
  CHECK(s->state == session.state);
  CHECK(s->reason == session.reason);
  CHECK(s->request == session.request);
  CHECK(s->info == session.info);
  CHECK(s->recovery == session.recovery);
  CHECK(s->folder == session.folder);
  CHECK(s->created == session.created);
  CHECK(s->stateSince == session.stateSince);
  CHECK(s->ended == session.ended);
  CHECK(s->deleted);
  const auto t = store.statement(3, 1);
  REQUIRE(t);
  CHECK(t->session == 3);
  CHECK(t->id == 1);
  CHECK(t->kind == statement.kind);
  CHECK(t->code == statement.code);
  CHECK(t->state == statement.state);
  CHECK(t->outcome == statement.outcome);
  CHECK(t->bundle == statement.bundle);
  CHECK(t->out == statement.out);
  CHECK(t->err.empty());
  CHECK(t->progress == 0.25);
  CHECK(t->submitted == 1);
  CHECK(t->started == 2);
  CHECK(t->completed == 3);
  CHECK_FALSE(store.session(4));
  CHECK_FALSE(store.statement(3, 0));
  CHECK_FALSE(store.statement(4, 1));
}

TEST_CASE("a row put again replaces the one before, in the order of the puts", "[store]") {
  const TempFolder folder;
  SqliteStore store(folder / "hearth.db");
  Outcome last;
  for (int i = 0; i <= 1000; ++i) {
    StatementRow row = statementRow(1, 0);
    row.state = std::to_string(i);
    store.putStatement(std::move(row), nullptr);
    SessionRow session = sessionRow(1);
    session.state = std::to_string(i);
    store.putSession(std::move(session), nullptr);
  }
  store.barrier(last.done());
  CHECK(last.get().empty());
  CHECK(store.statement(1, 0)->state == "1000");
  CHECK(store.session(1)->state == "1000");
  CHECK(store.countStatements(1) == 1);
  CHECK(store.countSessions(true) == 1);
}

TEST_CASE("lists show what they should, in order, page by page", "[store]") {
  const TempFolder folder;
  SqliteStore store(folder / "hearth.db");
  for (int i = 0; i < 20; ++i) {
    SessionRow row = sessionRow(i, "name " + std::to_string(i % 3));
    row.deleted = i % 4 == 0;
    row.ended = i % 2;
    store.putSession(row, nullptr);
    store.putStatement(statementRow(7, i), nullptr);
    store.putStatement(statementRow(8, 100 - i), nullptr);
  }
  Outcome all;
  store.barrier(all.done());
  REQUIRE(all.get().empty());

  CHECK(store.countSessions(true) == 20);
  CHECK(store.countSessions(false) == 15);
  CHECK(idsOf(store.sessions(0, 5, false)) == Ids{1, 2, 3, 5, 6});
  CHECK(idsOf(store.sessions(5, 4, false)) == Ids{7, 9, 10, 11});
  CHECK(idsOf(store.sessions(18, 5, true)) == Ids{18, 19});
  CHECK(store.sessions(15, 5, false).empty());
  CHECK(store.sessions(0, 0, true).empty());
  CHECK(idsOf(store.openSessions()) == Ids{0, 2, 4, 6, 8, 10, 12, 14, 16, 18});

  CHECK(store.countStatements(7) == 20);
  CHECK(store.countStatements(9) == 0);
  CHECK(idsOf(store.statements(7, 0, 3, false)) == Ids{0, 1, 2});
  CHECK(idsOf(store.statements(7, 0, 3, true)) == Ids{19, 18, 17});
  CHECK(idsOf(store.statements(7, 18, 5, true)) == Ids{1, 0});
  CHECK(idsOf(store.statements(8, 0, 2, false)) == Ids{81, 82});

  // A live session of the name, however many newer ones have ended; else the newest.
  CHECK(store.sessionByName("name 1")->id == 10);  // of 1, 7, 10, 13, 19: 10 is live
  REQUIRE(put(store,
              [] {
                SessionRow row = sessionRow(10, "name 1");
                row.ended = 5;
                return row;
              }())
              .empty());
  CHECK(store.sessionByName("name 1")->id == 19);
  CHECK_FALSE(store.sessionByName("name 9"));
  REQUIRE(put(store, sessionRow(30, "")).empty());
  CHECK_FALSE(store.sessionByName(""));
}

TEST_CASE("no session id is handed out twice, and restarts leave no gaps", "[store]") {
  const TempFolder folder;
  std::int64_t next = 0;
  for (int restart = 0; restart < 5; ++restart) {
    SqliteStore store(folder / "hearth.db");
    for (int i = 0; i < 7 * restart; ++i) REQUIRE(store.nextSessionId() == next++);
  }
  SqliteStore store(folder / "hearth.db");
  std::mutex mutex;
  std::set<std::int64_t> seen;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const std::int64_t id = store.nextSessionId();
        const std::lock_guard<std::mutex> lock(mutex);
        seen.insert(id);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(seen.size() == 400);
  CHECK(*seen.begin() == next);
}

TEST_CASE("what is queued when the store goes is written", "[store]") {
  const TempFolder folder;
  std::atomic<int> done{0};
  {
    SqliteStore store(folder / "hearth.db");
    for (int i = 0; i < 3000; ++i)
      store.putStatement(statementRow(1, i), [&](const std::string& error) {
        if (error.empty()) ++done;
      });
  }
  CHECK(done == 3000);
  const SqliteStore store(folder / "hearth.db");
  CHECK(store.countStatements(1) == 3000);
}

TEST_CASE("a row that cannot be written takes none with it", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  SqliteStore store(file);
  meddle(file,
         "CREATE TRIGGER picky BEFORE INSERT ON statements WHEN NEW.code = 'bad' "
         "BEGIN SELECT RAISE(ABORT, 'too bad'); END");
  // Held up by a foreign transaction, the writer finds them all in one group.
  SQLite::Database other(file, SQLite::OPEN_READWRITE, 10000);
  other.exec("BEGIN IMMEDIATE");
  std::vector<Outcome> outcomes(20);
  for (int i = 0; i < 20; ++i) {
    StatementRow row = statementRow(1, i);
    if (i == 3 || i == 4 || i == 11) row.code = "bad";
    store.putStatement(row, outcomes[i].done());
  }
  other.exec("ROLLBACK");
  for (int i = 0; i < 20; ++i) {
    INFO(i);
    if (i == 3 || i == 4 || i == 11)
      CHECK_THAT(outcomes[i].get(), Catch::Contains("too bad"));
    else
      CHECK(outcomes[i].get().empty());
  }
  CHECK(store.countStatements(1) == 17);
}

TEST_CASE("a progress that is no number does not lose the statement", "[store]") {
  const TempFolder folder;
  SqliteStore store(folder / "hearth.db");
  StatementRow row = statementRow(1, 0);
  row.progress = std::numeric_limits<double>::quiet_NaN();
  CHECK(put(store, row).empty());
  REQUIRE(store.statement(1, 0));
  CHECK(store.statement(1, 0)->progress == 0);
}

TEST_CASE("a write from the callback of a write is taken, however full the queue", "[store]") {
  const TempFolder folder;
  SqliteStore store(folder / "hearth.db");
  Outcome inner;
  std::atomic<bool> go{false};
  // The callback waits until others have filled the queue to its bound and wait themselves.
  store.putStatement(statementRow(1, 0), [&](const std::string&) {
    while (!go) std::this_thread::yield();
    store.putStatement(statementRow(1, 1), inner.done());
  });
  std::thread filler([&] {
    StatementRow large = statementRow(2, 0);
    large.bundle.assign(16 << 20, 'x');
    for (int i = 0; i < 6; ++i) {
      large.id = i;
      store.putStatement(large, nullptr);
      if (i == 3) go = true;
    }
  });
  const std::string error = inner.get();
  CHECK(error == "");
  filler.join();
}

TEST_CASE("a file that is no store is refused with a way out, and left alone", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  SECTION("text") {
    std::ofstream(file) << std::string(5000, 'x');
    CHECK_THAT(refusal(file), Catch::Contains(file) && Catch::Contains("Move it away"));
    CHECK(fileContent(file) == std::string(5000, 'x'));
  }
  SECTION("a store with its first pages overwritten") {
    {
      SqliteStore store(file);
      REQUIRE(put(store, sessionRow(1)).empty());
    }
    {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(100);
      stream << std::string(8000, '\x55');
    }
    const std::string before = fileContent(file);
    CHECK_THAT(refusal(file), Catch::Contains(file) && Catch::Contains("Move it away"));
    CHECK(fileContent(file) == before);
  }
  SECTION("another program's database") {
    meddle(file, "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('cake')");
    const std::string before = fileContent(file);
    CHECK_THAT(refusal(file), Catch::Contains(file) && Catch::Contains("another program"));
    CHECK(fileContent(file) == before);
  }
  SECTION("a newer Hearth's") {
    { SqliteStore store(file); }
    meddle(file, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 99");
    const std::string before = fileContent(file);
    CHECK_THAT(refusal(file),
               Catch::Contains(file) && Catch::Contains("newer Hearth") && Catch::Contains("99"));
    CHECK(fileContent(file) == before);
  }
  SECTION("a folder that is not there") {
    CHECK_THAT(refusal(folder / "no/hearth.db"), Catch::Contains("no/hearth.db"));
  }
}

TEST_CASE("a second host on the same store is refused and told whose it is", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  {
    const SqliteStore first(file);
    CHECK_THAT(refusal(file), Catch::Contains(file) && Catch::Contains(std::to_string(::getpid())));
  }
  CHECK(refusal(file) == "opened");
}

TEST_CASE("what users ran and saw is readable by the host's user only", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  const mode_t old = ::umask(022);
  SqliteStore store(file);
  CHECK(put(store, sessionRow(1)).empty());
  ::umask(old);
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat status {};
    INFO(suffix);
    REQUIRE(::stat((file + suffix).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("rows that cannot be read stop neither the start nor the rows beside them", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  {
    SqliteStore store(file);
    for (int i = 0; i < 5; ++i) {
      SessionRow row = sessionRow(i, "same");
      if (i == 1) row.request = "{ not JSON";
      REQUIRE(put(store, row).empty());
      REQUIRE(put(store, statementRow(1, i)).empty());
    }
  }
  meddle(file,
         "UPDATE sessions SET state = x'00FF' WHERE id = 2;"
         "UPDATE sessions SET created = 'yesterday' WHERE id = 4;"
         "UPDATE statements SET completed = 'never' WHERE id = 3;"
         "UPDATE statements SET progress = 'half' WHERE id = 4");
  SqliteStore store(file);
  CHECK(idsOf(store.openSessions()) == Ids{0, 1, 3});
  CHECK(idsOf(store.sessions(0, 10, true)) == Ids{0, 1, 3});
  CHECK(store.session(1)->request == "{ not JSON");
  CHECK_FALSE(store.session(2));
  CHECK(idsOf(store.statements(1, 0, 10, true)) == Ids{2, 1, 0});
  CHECK_FALSE(store.statement(1, 3));
  CHECK(store.sessionByName("same")->id == 3);
  // Such a row can be put right by writing it again.
  CHECK(put(store, sessionRow(2)).empty());
  CHECK(store.session(2));
}

TEST_CASE("a full disk is told to those who write, and reads go on", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  SqliteStore store(file);
  REQUIRE(put(store, sessionRow(1)).empty());
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 512 * 1024;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  StatementRow large = statementRow(1, 0);
  large.bundle.assign(2 << 20, 'x');
  const std::string error = put(store, large);
  const auto read = store.session(1);
  const std::string afterwards = put(store, statementRow(1, 1));
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, ignored);
  CHECK_THAT(error, Catch::Contains(file));
  CHECK(read);
  CHECK(afterwards.empty());  // small rows still fit
  CHECK(put(store, large).empty());
  CHECK(store.statement(1, 0)->bundle == large.bundle);
}

TEST_CASE("readers and writers at once see whole rows, and commits at once", "[store]") {
  const TempFolder folder;
  SqliteStore store(folder / "hearth.db");
  REQUIRE(put(store, sessionRow(1)).empty());
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::atomic<int> late{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 6; ++t)
    readers.emplace_back([&] {
      while (!stop) {
        const auto row = store.session(1);
        if (!row || (row->state != "idle" && row->state != row->reason)) ++torn;
        store.statements(1, 0, 10, true);
        store.countStatements(1);
        store.openSessions();
      }
    });
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; ++t)
    writers.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        SessionRow row = sessionRow(1);
        row.state = row.reason = std::to_string(t) + "." + std::to_string(i);
        store.putSession(row, nullptr);
        const int id = t * 1000 + i;
        if (!put(store, statementRow(1, id)).empty() || !store.statement(1, id)) ++late;
        store.nextSessionId();
      }
    });
  for (std::thread& thread : writers) thread.join();
  stop = true;
  for (std::thread& thread : readers) thread.join();
  CHECK(torn == 0);
  CHECK(late == 0);
  CHECK(store.countStatements(1) == 180);
}

TEST_CASE("a write that takes long holds up no reader", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  SqliteStore store(file);
  REQUIRE(put(store, sessionRow(1)).empty());
  SQLite::Database other(file, SQLite::OPEN_READWRITE, 10000);
  other.exec("BEGIN IMMEDIATE");
  Outcome waiting;
  SessionRow changed = sessionRow(1);
  changed.state = "busy";
  store.putSession(changed, waiting.done());
  CHECK(store.session(1)->state == "idle");
  CHECK(store.sessions(0, 10, true).size() == 1);
  other.exec("COMMIT");
  CHECK(waiting.get().empty());
  CHECK(store.session(1)->state == "busy");
}

namespace {

std::mutex tracedMutex;
std::set<std::string> traced;

int trace(unsigned, void*, void* statement, void*) {
  const std::lock_guard<std::mutex> lock(tracedMutex);
  traced.insert(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
  return 0;
}

int traceConnection(sqlite3* database, const char**, const sqlite3_api_routines*) {
  return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, trace, nullptr);
}

}  // namespace

TEST_CASE("100,000 sessions and 200,000 statements page by index, never by sorting all",
          "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  { SqliteStore store(file); }
  meddle(
      file,
      "BEGIN;"
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
      "INSERT INTO sessions (id, name, owner, proxy_user, kind, state, reason, request, info,"
      " recovery, folder, created, state_since, ended, deleted)"
      " SELECT i, 'n' || i, '', '', 'spark', 'dead', '', '{}', '', '', '/f',"
      " 1, 1, i < 99990, i % 10 = 0 FROM n;"
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999) "
      "INSERT INTO statements (session, id, kind, code, state, outcome, bundle, out, err, progress,"
      " submitted, started, completed)"
      " SELECT i % 2, i / 2, 'spark', 'code', 'available', 'ok', '{}', '', '', 1, 1, 1, 1 FROM n;"
      "COMMIT");

  using Hook = void (*)();
  sqlite3_auto_extension(reinterpret_cast<Hook>(traceConnection));
  {
    SqliteStore store(file);
    CHECK(idsOf(store.openSessions()) ==
          Ids{99990, 99991, 99992, 99993, 99994, 99995, 99996, 99997, 99998, 99999});
    CHECK(idsOf(store.sessions(99998, 5, true)) == Ids{99998, 99999});
    CHECK(idsOf(store.sessions(89998, 5, false)) == Ids{99998, 99999});
    CHECK(store.countSessions(true) == 100000);
    CHECK(store.countSessions(false) == 90000);
    CHECK(store.sessionByName("n77")->id == 77);
    CHECK(idsOf(store.statements(1, 99990, 3, false)) == Ids{99990, 99991, 99992});
    CHECK(idsOf(store.statements(1, 99990, 3, true)) == Ids{9, 8, 7});
    CHECK(store.countStatements(0) == 100000);
    CHECK(store.statement(0, 5));
    CHECK(store.session(5));
    CHECK(store.statementSpan(0).end == 100000);
    CHECK(store.openStatements(0).empty());
    using What = StoreUpkeep::What;
    for (const What what : {What::sessions, What::batches}) {
      CHECK(store.totals(what).count == (what == What::sessions ? 99990 : 0));
      CHECK(store.ended(what, {1, 70000, -1}, 5).empty());
      CHECK(store.ended(what, {99980, 1, -1}, 5).size() == (what == What::sessions ? 5 : 0));
      CHECK(store.unmeasured(what, 5).size() == (what == What::sessions ? 5 : 0));
      CHECK(store.has(what, 99999) == (what == What::sessions));
    }
  }
  sqlite3_cancel_auto_extension(reinterpret_cast<Hook>(traceConnection));

  SQLite::Database database(file, SQLite::OPEN_READONLY);
  int plans = 0;
  for (const std::string& sql : traced) {
    if (sql.find("SELECT") != 0 || sql.find("counters") != std::string::npos ||
        sql.find("sqlite_") != std::string::npos)
      continue;
    SQLite::Statement plan(database, "EXPLAIN QUERY PLAN " + sql);
    std::string steps;
    while (plan.executeStep()) steps += plan.getColumn(3).getString() + "\n";
    INFO(sql << "\n" << steps);
    ++plans;
    // SCAN of an index is a page or a count of it; of the table itself it reads every row.
    for (std::size_t at = 0; (at = steps.find("SCAN ", at)) != std::string::npos; ++at) {
      const std::string step = steps.substr(at, steps.find('\n', at) - at);
      const bool byKey = sql.find("SELECT id FROM sessions ORDER BY id LIMIT") != std::string::npos;
      CHECK((step.find("INDEX") != std::string::npos || byKey));
    }
    // Those of one name may be sorted; they are few.
    if (sql.find("name = ?") == std::string::npos)
      CHECK(steps.find("USE TEMP B-TREE") == std::string::npos);
  }
  CHECK(plans == 22);
}
