// SqliteStore: what it reads of batches.
#include "store/SqliteReader.h"
#include "store/SqliteRows.h"

namespace hearth::host {

namespace {

std::string select(const char* rest) {
  return std::string("SELECT ") + batchColumns + " FROM batches " + rest;
}

std::optional<BatchRow> firstOf(SQLite::Statement& query) {
  auto rows = allOf<BatchRow>(query, "batches", batchFrom);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

}  // namespace

std::optional<BatchRow> SqliteStore::batch(std::int64_t id) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(select("WHERE id = ?"));
    query.bind(1, id);
    return firstOf(query);
  });
}

std::vector<BatchRow> SqliteStore::openBatches() const {
  return read([&](SqliteReader& reader) {
    auto& ids = reader.query("SELECT id FROM batches WHERE ended = 0 ORDER BY id");
    return eachOf<BatchRow>(ids, reader.query(select("WHERE id = ?")), 1, "batch", batchFrom);
  });
}

std::vector<BatchRow> SqliteStore::batches(std::int64_t from, std::int64_t size,
                                           bool withDeleted) const {
  return read([&](SqliteReader& reader) {
    // The page is found in the index alone; only its own rows are then read.
    auto& ids = reader.query(
        withDeleted ? "SELECT id FROM batches ORDER BY id LIMIT ?1 OFFSET ?2"
                    : "SELECT id FROM batches WHERE deleted = 0 ORDER BY id LIMIT ?1 OFFSET ?2");
    ids.bind(1, size);
    ids.bind(2, from);
    return eachOf<BatchRow>(ids, reader.query(select("WHERE id = ?")), 1, "batch", batchFrom);
  });
}

std::int64_t SqliteStore::countBatches(bool withDeleted) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(withDeleted ? "SELECT count(*) FROM batches"
                                           : "SELECT count(*) FROM batches WHERE deleted = 0");
    query.executeStep();
    return query.getColumn(0).getInt64();
  });
}

std::optional<BatchRow> SqliteStore::batchByName(const std::string& name) const {
  if (name.empty()) return std::nullopt;
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(
        select("WHERE name = ? AND name <> '' AND deleted = 0 ORDER BY ended > 0, id DESC"));
    query.bind(1, name);
    return firstOf(query);
  });
}

std::optional<BatchRow> SqliteStore::batchByKey(const std::string& owner,
                                                const std::string& key) const {
  if (key.empty()) return std::nullopt;
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(
        select("WHERE owner = ? AND idempotency_key = ? AND idempotency_key <> '' ORDER BY id"));
    query.bind(1, owner);
    query.bind(2, key);
    return firstOf(query);
  });
}

}  // namespace hearth::host
