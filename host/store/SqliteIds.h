// Numbers that are handed out once.
#pragma once

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <mutex>
#include <string>

namespace hearth::host {

/// One counter of the store. Ids are reserved in blocks, so that taking one costs no commit of its
/// own; a clean end gives the rest of the block back, only a crash leaves a gap. Thread-safe.
class SqliteIds {
 public:
  /// Reads the counter. Throws SQLite::Exception.
  SqliteIds(SQLite::Database& database, std::string file, std::string name);
  /// Never given out before, also across restarts and crashes. Throws StoreError.
  std::int64_t next();
  /// What the first next() gives or gave: smaller ones are of earlier runs.
  std::int64_t first() const { return first_; }
  /// At a clean end; nothing is taken afterwards.
  void giveBack(SQLite::Database& database) noexcept;

 private:
  const std::string file_;
  const std::string name_;
  std::int64_t first_ = 0;
  std::mutex mutex_;
  std::int64_t next_ = 0;
  std::int64_t reserved_ = 0;  // ids below it are durably taken
};

}  // namespace hearth::host
