// How SqliteStore reads: for the files that implement it.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/SqliteStore.h"
#include "support/Log.h"

namespace hearth::host {

constexpr int sqliteBusyMillis = 5000;
constexpr std::size_t sqliteKeptReaders = 4;

/// The error and the way out, for people.
std::string explain(const std::string& file, const SQLite::Exception& error);

/// Of the file's content, not of the disk or the moment.
bool isDamage(const SQLite::Exception& error);

// One bad row must not hide the good ones.
template <typename Row, typename Make>
std::vector<Row> allOf(SQLite::Statement& query, const char* table, Make make) {
  std::vector<Row> rows;
  while (query.executeStep()) {
    try {
      rows.push_back(make(query));
    } catch (const std::exception& error) {
      log().error("store: a row of {} cannot be read and is passed over: {}", table, error.what());
    }
  }
  return rows;
}

/// Rows by keys that an index gave, one by one: a row that cannot be read, also one in a damaged
/// page, costs no other. `one` has its other parameters bound; the key is its parameter `at`.
template <typename Row, typename Make>
std::vector<Row> eachOf(SQLite::Statement& keys, SQLite::Statement& one, int at, const char* table,
                        Make make) {
  std::vector<std::int64_t> found;
  while (keys.executeStep()) found.push_back(keys.getColumn(0).getInt64());
  keys.tryReset();
  std::vector<Row> rows;
  rows.reserve(found.size());
  for (const std::int64_t key : found) {
    try {
      one.tryReset();
      one.bind(at, key);
      if (one.executeStep()) rows.push_back(make(one));
    } catch (const SQLite::Exception& error) {
      if (!isDamage(error)) throw;
      log().error("store: {} {} cannot be read and is passed over: {}", table, key, error.what());
    } catch (const std::exception& error) {
      log().error("store: {} {} cannot be read and is passed over: {}", table, key, error.what());
    }
  }
  return rows;
}

class SqliteReader {
 public:
  explicit SqliteReader(const std::string& file)
      : database(file, SQLite::OPEN_READWRITE, sqliteBusyMillis) {
    // Opened writable only because a WAL reader may have to make the shared memory file.
    database.exec("PRAGMA query_only = ON");
  }

  /// A prepared statement, kept for the next time; reset and without bindings.
  SQLite::Statement& query(const std::string& sql) {
    const auto found = prepared_.find(sql);
    if (found != prepared_.end()) {
      found->second.tryReset();
      found->second.clearBindings();
      return found->second;
    }
    return prepared_
        .emplace(std::piecewise_construct, std::forward_as_tuple(sql),
                 std::forward_as_tuple(database, sql))
        .first->second;
  }
  /// Ends open read transactions, which would keep the WAL from being emptied.
  void rest() {
    for (auto& entry : prepared_) entry.second.tryReset();
  }

 private:
  SQLite::Database database;
  std::map<std::string, SQLite::Statement> prepared_;
};

template <typename Query>
auto SqliteStore::read(Query query) const {
  std::unique_ptr<SqliteReader> reader;
  {
    const std::lock_guard<std::mutex> lock(readersMutex_);
    if (!readers_.empty()) {
      reader = std::move(readers_.back());
      readers_.pop_back();
    }
  }
  try {
    if (!reader) reader = std::make_unique<SqliteReader>(file_);
    auto result = query(*reader);
    reader->rest();
    const std::lock_guard<std::mutex> lock(readersMutex_);
    if (readers_.size() < sqliteKeptReaders) readers_.push_back(std::move(reader));
    return result;
  } catch (const SQLite::Exception& error) {
    throw StoreReadError(explain(file_, error));
  }
}

}  // namespace hearth::host
