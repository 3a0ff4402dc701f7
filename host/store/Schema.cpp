#include "store/Schema.h"

#include <SQLiteCpp/Transaction.h>

#include <array>
#include <string>

#include "store/Store.h"

namespace hearth::host {

namespace {

// Step n leads from user_version n to n + 1. Released steps are never edited.
const std::array<const char*, 5> steps = {
    R"sql(
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
    )sql",
    "ALTER TABLE statements ADD COLUMN displays TEXT NOT NULL DEFAULT ''",
    R"sql(
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
    )sql",
    R"sql(
      ALTER TABLE statements ADD COLUMN options TEXT NOT NULL DEFAULT '';
      CREATE INDEX statements_open ON statements (session, id) WHERE completed = 0;
    )sql",
    // A row that is put again loses what was measured of it, and is measured again.
    R"sql(
      ALTER TABLE sessions ADD COLUMN disk_bytes INTEGER NOT NULL DEFAULT -1;
      ALTER TABLE batches ADD COLUMN disk_bytes INTEGER NOT NULL DEFAULT -1;
      CREATE INDEX sessions_ended ON sessions (ended, id, disk_bytes) WHERE ended > 0;
      CREATE INDEX batches_ended ON batches (ended, id, disk_bytes) WHERE ended > 0;
      CREATE INDEX sessions_unmeasured ON sessions (id) WHERE ended > 0 AND disk_bytes < 0;
      CREATE INDEX batches_unmeasured ON batches (id) WHERE ended > 0 AND disk_bytes < 0;
    )sql",
};

constexpr int newest = static_cast<int>(steps.size());

int versionOf(SQLite::Database& database) {
  return database.execAndGet("PRAGMA user_version").getInt();
}

}  // namespace

void checkOurs(SQLite::Database& database) {
  const int version = versionOf(database);
  if (version > newest)
    throw StoreError("its schema has version " + std::to_string(version) + ", this Hearth knows " +
                     std::to_string(newest) +
                     ": it was written by a newer Hearth; use that one, or another data.dir");
  // A new file has no tables; ours has had this one from the first step on.
  const int tables = database.execAndGet("SELECT count(*) FROM sqlite_master").getInt();
  if (version > 0 ? !database.tableExists("counters") : tables > 0)
    throw StoreError("it is another program's database; use another data.dir");
}

void migrate(SQLite::Database& database) {
  for (int step = versionOf(database); step < newest; ++step) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(steps[static_cast<std::size_t>(step)]);
    database.exec("PRAGMA user_version = " + std::to_string(step + 1));
    transaction.commit();
  }
}

}  // namespace hearth::host
