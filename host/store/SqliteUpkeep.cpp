// SqliteStore: what has ended, and how it goes.
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "store/SqliteIds.h"
#include "store/SqliteReader.h"
#include "store/SqliteWriter.h"

namespace hearth::host {

namespace {

using What = StoreUpkeep::What;

constexpr std::int64_t statementsPerStep = 64;  // each may have megabytes
constexpr std::int64_t pagesPerStep = 64;
// New rows will want pages again: so many may stay free, and a part of all.
constexpr std::int64_t sparePages = 1024;
constexpr std::int64_t sparePart = 10;

std::string sql(What what, const std::string& before, const std::string& after) {
  return before + (what == What::sessions ? " sessions " : " batches ") + after;
}

std::int64_t numberOf(SQLite::Database& database, const char* pragma) {
  return database.execAndGet(pragma).getInt64();
}

std::vector<StoreUpkeep::Ended> endedFrom(SQLite::Statement& query) {
  std::vector<StoreUpkeep::Ended> rows;
  while (query.executeStep())
    rows.push_back({query.getColumn(0).getInt64(), query.getColumn(1).getInt64(),
                    query.getColumn(2).getInt64()});
  return rows;
}

void run(SQLite::Database& database, const std::string& text, std::int64_t first,
         std::optional<std::int64_t> second = std::nullopt) {
  SQLite::Statement query(database, text);
  query.bind(1, first);
  if (second) query.bind(2, *second);
  query.exec();
}

bool anyOf(SQLite::Database& database, const std::string& text, std::int64_t id) {
  SQLite::Statement query(database, text);
  query.bind(1, id);
  return query.executeStep();
}

}  // namespace

std::int64_t SqliteStore::firstOfThisRun(What what) const {
  return (what == What::sessions ? sessionIds_ : batchIds_)->first();
}

bool SqliteStore::has(What what, std::int64_t id) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(sql(what, "SELECT 1 FROM", "WHERE id = ?"));
    query.bind(1, id);
    return query.executeStep();
  });
}

StoreUpkeep::Totals SqliteStore::totals(What what) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(
        sql(what, "SELECT count(*), total(max(disk_bytes, 0)) FROM", "WHERE ended > 0"));
    query.executeStep();
    return Totals{query.getColumn(0).getInt64(),
                  static_cast<std::int64_t>(query.getColumn(1).getDouble())};
  });
}

std::vector<StoreUpkeep::Ended> SqliteStore::ended(What what, const Ended& after,
                                                   std::int64_t size) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(sql(what, "SELECT id, ended, disk_bytes FROM",
                                   "WHERE ended > 0 AND (ended, id) > (?, ?) "
                                   "ORDER BY ended, id LIMIT ?"));
    query.bind(1, after.ended);
    query.bind(2, after.id);
    query.bind(3, size);
    return endedFrom(query);
  });
}

std::vector<StoreUpkeep::Ended> SqliteStore::unmeasured(What what, std::int64_t size) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(sql(what, "SELECT id, ended, disk_bytes FROM",
                                   "WHERE ended > 0 AND disk_bytes < 0 ORDER BY id LIMIT ?"));
    query.bind(1, size);
    return endedFrom(query);
  });
}

void SqliteStore::setBytes(What what, std::int64_t id, std::int64_t bytes, Store::Done done) {
  auto write = std::make_unique<SqliteWriter::Write>();
  write->work = [what, id, bytes](SQLite::Database& database) {
    run(database, sql(what, "UPDATE", "SET disk_bytes = ?1 WHERE id = ?2 AND ended > 0"), bytes,
        id);
  };
  write->done = std::move(done);
  writer_->enqueue(std::move(write));
}

void SqliteStore::remove(What what, std::int64_t id, Step done) {
  auto write = std::make_unique<SqliteWriter::Write>();
  const auto more = std::make_shared<bool>(false);
  write->work = [what, id, more](SQLite::Database& database) {
    *more = false;
    if (!anyOf(database, sql(what, "SELECT 1 FROM", "WHERE id = ? AND ended > 0"), id)) return;
    if (what == What::sessions) {
      run(database,
          "DELETE FROM statements WHERE session = ?1 AND id IN "
          "(SELECT id FROM statements WHERE session = ?1 ORDER BY id LIMIT ?2)",
          id, statementsPerStep);
      *more = anyOf(database, "SELECT 1 FROM statements WHERE session = ?", id);
      if (*more) return;
    }
    run(database, sql(what, "DELETE FROM", "WHERE id = ?"), id);
  };
  write->done = [more, done = std::move(done)](const std::string& error) { done(error, *more); };
  writer_->enqueue(std::move(write));
}

void SqliteStore::removeStatements(std::int64_t session, std::int64_t below, Store::Done done) {
  auto write = std::make_unique<SqliteWriter::Write>();
  write->work = [session, below](SQLite::Database& database) {
    run(database, "DELETE FROM statements WHERE session = ?1 AND id < ?2", session, below);
  };
  write->done = std::move(done);
  writer_->enqueue(std::move(write));
}

std::int64_t SqliteStore::usedBytes() const {
  return read([&](SqliteReader& reader) {
    const auto number = [&](const char* pragma) {
      auto& query = reader.query(pragma);
      query.executeStep();
      return query.getColumn(0).getInt64();
    };
    return (number("PRAGMA page_count") - number("PRAGMA freelist_count")) *
           number("PRAGMA page_size");
  });
}

void SqliteStore::compact(Step done) {
  auto write = std::make_unique<SqliteWriter::Write>();
  const auto more = std::make_shared<bool>(false);
  write->work = [more](SQLite::Database& database) {
    *more = false;
    constexpr int incremental = 2;
    if (numberOf(database, "PRAGMA auto_vacuum") != incremental) return;
    const std::int64_t spare =
        std::max(sparePages, numberOf(database, "PRAGMA page_count") / sparePart);
    const std::int64_t free = numberOf(database, "PRAGMA freelist_count") - spare;
    if (free <= 0) return;
    database.exec("PRAGMA incremental_vacuum(" + std::to_string(std::min(free, pagesPerStep)) +
                  ")");
    *more = free > pagesPerStep;
  };
  write->done = [more, done = std::move(done)](const std::string& error) { done(error, *more); };
  writer_->enqueue(std::move(write));
}

}  // namespace hearth::host
