#include "store/SqliteRows.h"

#include <SQLiteCpp/Column.h>

#include <cmath>
#include <string>

namespace hearth::host {

const char* const sessionColumns =
    "id, name, owner, proxy_user, kind, state, reason, request, info, recovery, folder, created, "
    "state_since, ended, deleted, idempotency_key, request_digest";
const char* const statementColumns =
    "session, id, kind, code, options, state, outcome, bundle, out, err, displays, progress, "
    "submitted, "
    "started, completed";

const char* const batchColumns =
    "id, name, owner, proxy_user, state, reason, request, info, tag, folder, idempotency_key, "
    "request_digest, ending, created, submitted, state_since, ended, deleted";

namespace {

// A column of the wrong type is a row that something else has written: SQLite would convert it in
// silence, and a wrong number is worse than a row that is passed over.
std::string textAt(SQLite::Statement& query, int column) {
  const SQLite::Column value = query.getColumn(column);
  if (!value.isText()) throw StoreError("column " + std::string(value.getName()) + " is no text");
  return value.getString();
}
std::int64_t integerAt(SQLite::Statement& query, int column) {
  const SQLite::Column value = query.getColumn(column);
  if (!value.isInteger())
    throw StoreError("column " + std::string(value.getName()) + " is no integer");
  return value.getInt64();
}
double realAt(SQLite::Statement& query, int column) {
  const SQLite::Column value = query.getColumn(column);
  if (!value.isFloat() && !value.isInteger())
    throw StoreError("column " + std::string(value.getName()) + " is no number");
  return value.getDouble();
}

/// "(?,?,..)" with as many as there are columns.
std::string placesFor(const std::string& columns) {
  std::string places = "(?";
  for (const char c : columns)
    if (c == ',') places += ",?";
  return places + ")";
}

}  // namespace

SessionRow sessionFrom(SQLite::Statement& query) {
  SessionRow row;
  int column = 0;
  row.id = integerAt(query, column++);
  for (std::string* text : {&row.name, &row.owner, &row.proxyUser, &row.kind, &row.state,
                            &row.reason, &row.request, &row.info, &row.recovery, &row.folder})
    *text = textAt(query, column++);
  for (std::int64_t* number : {&row.created, &row.stateSince, &row.ended})
    *number = integerAt(query, column++);
  row.deleted = integerAt(query, column++) != 0;
  row.idempotencyKey = textAt(query, column++);
  row.requestDigest = textAt(query, column);
  return row;
}

std::string insertSession() {
  return std::string("INSERT OR REPLACE INTO sessions (") + sessionColumns + ") VALUES " +
         placesFor(sessionColumns);
}

void bind(SQLite::Statement& query, const SessionRow& row) {
  int at = 1;
  query.bind(at++, row.id);
  for (const std::string* text : {&row.name, &row.owner, &row.proxyUser, &row.kind, &row.state,
                                  &row.reason, &row.request, &row.info, &row.recovery, &row.folder})
    query.bindNoCopy(at++, *text);
  for (const std::int64_t number : {row.created, row.stateSince, row.ended})
    query.bind(at++, number);
  query.bind(at++, row.deleted ? 1 : 0);
  query.bindNoCopy(at++, row.idempotencyKey);
  query.bindNoCopy(at, row.requestDigest);
}

StatementRow statementFrom(SQLite::Statement& query) {
  StatementRow row;
  int column = 0;
  row.session = integerAt(query, column++);
  row.id = integerAt(query, column++);
  for (std::string* text : {&row.kind, &row.code, &row.options, &row.state, &row.outcome,
                            &row.bundle, &row.out, &row.err, &row.displays})
    *text = textAt(query, column++);
  row.progress = realAt(query, column++);
  for (std::int64_t* number : {&row.submitted, &row.started, &row.completed})
    *number = integerAt(query, column++);
  return row;
}

std::string insertStatement() {
  return std::string("INSERT INTO statements (") + statementColumns + ") VALUES " +
         placesFor(statementColumns) +
         " ON CONFLICT (session, id) DO UPDATE SET kind = excluded.kind, code = excluded.code, "
         "options = excluded.options, state = excluded.state, outcome = excluded.outcome, bundle = "
         "excluded.bundle, "
         "out = excluded.out, err = excluded.err, displays = excluded.displays, "
         "progress = excluded.progress, submitted = excluded.submitted, "
         "started = excluded.started, completed = excluded.completed";
}

void bind(SQLite::Statement& query, const StatementRow& row) {
  int at = 1;
  query.bind(at++, row.session);
  query.bind(at++, row.id);
  for (const std::string* text : {&row.kind, &row.code, &row.options, &row.state, &row.outcome,
                                  &row.bundle, &row.out, &row.err, &row.displays})
    query.bindNoCopy(at++, *text);
  query.bind(at++, std::isfinite(row.progress) ? row.progress : 0.0);
  for (const std::int64_t number : {row.submitted, row.started, row.completed})
    query.bind(at++, number);
}

BatchRow batchFrom(SQLite::Statement& query) {
  BatchRow row;
  int column = 0;
  row.id = integerAt(query, column++);
  for (std::string* text :
       {&row.name, &row.owner, &row.proxyUser, &row.state, &row.reason, &row.request, &row.info,
        &row.tag, &row.folder, &row.idempotencyKey, &row.requestDigest, &row.ending})
    *text = textAt(query, column++);
  for (std::int64_t* number : {&row.created, &row.submitted, &row.stateSince, &row.ended})
    *number = integerAt(query, column++);
  row.deleted = integerAt(query, column) != 0;
  return row;
}

std::string insertBatch() {
  return std::string("INSERT OR REPLACE INTO batches (") + batchColumns + ") VALUES " +
         placesFor(batchColumns);
}

void bind(SQLite::Statement& query, const BatchRow& row) {
  int at = 1;
  query.bind(at++, row.id);
  for (const std::string* text :
       {&row.name, &row.owner, &row.proxyUser, &row.state, &row.reason, &row.request, &row.info,
        &row.tag, &row.folder, &row.idempotencyKey, &row.requestDigest, &row.ending})
    query.bindNoCopy(at++, *text);
  for (const std::int64_t number : {row.created, row.submitted, row.stateSince, row.ended})
    query.bind(at++, number);
  query.bind(at, row.deleted ? 1 : 0);
}

}  // namespace hearth::host
