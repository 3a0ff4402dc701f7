// Stores as each released Hearth has left them: SQL that is never edited, only added to.
#include <SQLiteCpp/Statement.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "store_bench.h"

using namespace hearth::test;

namespace {

const char first[] = R"sql(
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO counters VALUES ('session', 0);
  CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, proxy_user TEXT NOT NULL,
    kind TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, request TEXT NOT NULL,
    info TEXT NOT NULL, recovery TEXT NOT NULL, folder TEXT NOT NULL, created INTEGER NOT NULL,
    state_since INTEGER NOT NULL, ended INTEGER NOT NULL, deleted INTEGER NOT NULL);
  CREATE INDEX sessions_shown ON sessions (deleted, id);
  CREATE INDEX sessions_open ON sessions (id) WHERE ended = 0;
  CREATE INDEX sessions_name ON sessions (name, deleted, ended, id) WHERE name <> '';
  CREATE TABLE statements (
    session INTEGER NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL,
    state TEXT NOT NULL, outcome TEXT NOT NULL, bundle TEXT NOT NULL, out TEXT NOT NULL,
    err TEXT NOT NULL, progress REAL NOT NULL, submitted INTEGER NOT NULL,
    started INTEGER NOT NULL, completed INTEGER NOT NULL);
  CREATE UNIQUE INDEX statements_key ON statements (session, id);
  UPDATE counters SET value = 6;
  INSERT INTO sessions VALUES (4, 'old', 'ann', '', 'spark', 'dead', 'why', '{"kind":"spark"}', '', '',
    '/f/4', 11, 12, 13, 0), (5, '', '', 'bob', 'sql', 'idle', '', '{}', '', '', '/f/5', 21, 22, 0, 0);
  INSERT INTO statements VALUES (4, 0, 'spark', '1', 'available', 'ok', '{"text/plain":"1"}', 'o', 'e', 1, 1, 2, 3);
  PRAGMA user_version = 1;
)sql";

const char second[] = R"sql(
  ALTER TABLE statements ADD COLUMN displays TEXT NOT NULL DEFAULT '';
  INSERT INTO statements VALUES (4, 1, 'spark', '2', 'available', 'ok', '{}', '', '', 1, 1, 2, 3, '{"a":"b"}');
  PRAGMA user_version = 2;
)sql";

const char third[] = R"sql(
  INSERT INTO counters VALUES ('batch', 0);
  CREATE TABLE batches (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, proxy_user TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, request TEXT NOT NULL, info TEXT NOT NULL,
    tag TEXT NOT NULL, folder TEXT NOT NULL, idempotency_key TEXT NOT NULL,
    request_digest TEXT NOT NULL, ending TEXT NOT NULL, created INTEGER NOT NULL,
    submitted INTEGER NOT NULL, state_since INTEGER NOT NULL, ended INTEGER NOT NULL,
    deleted INTEGER NOT NULL);
  CREATE INDEX batches_shown ON batches (deleted, id);
  CREATE INDEX batches_open ON batches (id) WHERE ended = 0;
  CREATE INDEX batches_name ON batches (name, deleted, ended, id) WHERE name <> '';
  ALTER TABLE sessions ADD COLUMN idempotency_key TEXT NOT NULL DEFAULT '';
  ALTER TABLE sessions ADD COLUMN request_digest TEXT NOT NULL DEFAULT '';
  CREATE INDEX sessions_key ON sessions (owner, idempotency_key) WHERE idempotency_key <> '';
  CREATE INDEX batches_key ON batches (owner, idempotency_key) WHERE idempotency_key <> '';
  UPDATE counters SET value = 3 WHERE name = 'batch';
  INSERT INTO batches VALUES (2, 'b', 'ann', '', 'success', '', '{}', '', 'tag', '/b/2', 'key', 'digest', '',
    1, 2, 3, 4, 0);
  UPDATE sessions SET idempotency_key = 'key', request_digest = 'digest' WHERE id = 4;
  PRAGMA user_version = 3;
)sql";

const char fourth[] = R"sql(
  ALTER TABLE statements ADD COLUMN options TEXT NOT NULL DEFAULT '';
  CREATE INDEX statements_open ON statements (session, id) WHERE completed = 0;
  INSERT INTO statements VALUES (5, 0, 'sql', '3', 'waiting', '', '', '', '', 0, 1, 0, 0, '', '{"a":1}');
  PRAGMA user_version = 4;
)sql";

const std::vector<const char*> released = {first, second, third, fourth};

std::string schemaOf(const std::string& file) {
  SQLite::Database database(file, SQLite::OPEN_READONLY);
  std::string all = std::to_string(database.execAndGet("PRAGMA user_version").getInt());
  for (const char* table : {"counters", "sessions", "statements", "batches"}) {
    SQLite::Statement columns(database,
                              "SELECT name, type, \"notnull\", dflt_value, pk FROM "
                              "pragma_table_info(?)");
    columns.bind(1, table);
    all += std::string("\n") + table;
    while (columns.executeStep())
      for (int i = 0; i < 5; ++i) all += " " + columns.getColumn(i).getString();
  }
  SQLite::Statement indexes(database,
                            "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY 1");
  while (indexes.executeStep()) all += "\n" + indexes.getColumn(0).getString();
  return all;
}

}  // namespace

TEST_CASE("a store of every released version is taken over with all it has", "[store]") {
  const TempFolder folder;
  const std::string fresh = folder / "fresh.db";
  { SqliteStore store(fresh); }
  for (std::size_t version = 1; version <= released.size(); ++version) {
    INFO("version " << version);
    const std::string file = folder / (std::to_string(version) + ".db");
    meddle(file, "PRAGMA journal_mode = WAL");
    for (std::size_t step = 0; step < version; ++step) meddle(file, released[step]);
    for (int start = 0; start < 2; ++start) {
      SqliteStore store(file);
      const auto session = store.session(4);
      REQUIRE(session);
      CHECK(session->name == "old");
      CHECK(session->owner == "ann");
      CHECK(session->request == R"({"kind":"spark"})");
      CHECK(session->ended == 13);
      CHECK(session->idempotencyKey == (version >= 3 ? "key" : ""));
      CHECK(store.sessionByName("old"));
      CHECK(store.openSessions().size() == 1);
      const auto statement = store.statement(4, 0);
      REQUIRE(statement);
      CHECK(statement->bundle == R"({"text/plain":"1"})");
      CHECK(statement->displays.empty());
      CHECK(store.countStatements(4) == (version >= 2 ? 2 : 1));
      if (version >= 2) CHECK(store.statement(4, 1)->displays == R"({"a":"b"})");
      CHECK(statement->options.empty());
      CHECK(store.openStatements(5).size() == (version >= 4 ? 1 : 0));
      if (version >= 4) CHECK(store.statement(5, 0)->options == R"({"a":1})");
      if (version >= 3) CHECK(store.batchByKey("ann", "key")->id == 2);
      CHECK(store.nextSessionId() == 6 + start);
      CHECK(store.nextBatchId() == (version >= 3 ? 3 : 0) + start);
      SessionRow another = sessionRow(100 + start);
      another.ended = 1;
      CHECK(put(store, another).empty());
      CHECK(put(store, statementRow(100, start)).empty());
    }
    CHECK(schemaOf(file) == schemaOf(fresh));
  }
}
