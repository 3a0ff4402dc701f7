#include "store/SqliteIds.h"

#include <SQLiteCpp/Statement.h>

#include <utility>

#include "store/SqliteReader.h"

namespace hearth::host {

namespace {

constexpr std::int64_t block = 16;

void write(SQLite::Database& database, const std::string& name, std::int64_t value) {
  SQLite::Statement query(database, "UPDATE counters SET value = ? WHERE name = ?");
  query.bind(1, value);
  query.bind(2, name);
  query.exec();
}

}  // namespace

SqliteIds::SqliteIds(SQLite::Database& database, std::string file, std::string name)
    : file_(std::move(file)), name_(std::move(name)) {
  SQLite::Statement query(database, "SELECT value FROM counters WHERE name = ?");
  query.bind(1, name_);
  if (query.executeStep()) first_ = next_ = reserved_ = query.getColumn(0).getInt64();
}

std::int64_t SqliteIds::next() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (next_ == reserved_) {
    // On a connection of its own: the writer's belongs to its thread.
    try {
      SQLite::Database database(file_, SQLite::OPEN_READWRITE, sqliteBusyMillis);
      database.exec("PRAGMA synchronous = NORMAL");
      write(database, name_, reserved_ + block);
    } catch (const SQLite::Exception& error) {
      throw StoreError(explain(file_, error));
    }
    reserved_ += block;
  }
  return next_++;
}

void SqliteIds::giveBack(SQLite::Database& database) noexcept {
  try {
    write(database, name_, next_);
  } catch (const std::exception& error) {
    log().warn("store: unused {} ids were not given back: {}", name_, error.what());
  }
}

}  // namespace hearth::host
