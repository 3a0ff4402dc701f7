// The one thread that writes to the SQLite store.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "store/Store.h"

namespace hearth::host {

/// Commits what is queued in groups; when a group fails its rows are tried one by one, so that only
/// the bad one does. A row that ends something (a result, a session, a batch) and that the disk did
/// not take is told to have failed, kept in memory, and tried again until it is written: what has
/// happened does not depend on the disk of that moment. Thread-safe unless said otherwise.
class SqliteWriter {
 public:
  /// At most one of the first four; none is a barrier.
  struct Write {
    std::optional<SessionRow> session;
    std::optional<BatchRow> batch;
    std::shared_ptr<const StatementRow> statement;
    std::function<void(SQLite::Database&)> work;  ///< in a transaction, perhaps twice
    Store::Done done;
  };

  /// Opens or creates the file and brings it to the newest schema. Throws SQLite::Exception and
  /// StoreError, the latter without the file's name.
  explicit SqliteWriter(const std::string& file);
  ~SqliteWriter();

  void start();
  /// Writes what is queued, tries once more what has failed, and ends the thread.
  void stop();
  /// Waits where very much is queued: memory is bounded where the disk is slow.
  void enqueue(std::unique_ptr<Write> write);
  /// Only while the thread does not run.
  SQLite::Database& database() { return database_; }

 private:
  using Group = std::vector<std::unique_ptr<Write>>;

  void work();
  void commit(Group& group);
  /// What `apply` does is written whole or not at all; throws where it is not.
  void transact(const std::function<void()>& apply);
  void commitOne(std::unique_ptr<Write> write);
  void apply(const Write& write);
  std::string waiting(const Write& write) const;
  void keep(std::unique_ptr<Write> write, const std::string& reason);
  void supersede(const Write& written);
  void retry();

  const std::string file_;
  // Its thread's only, but for the constructor.
  SQLite::Database database_;
  std::optional<SQLite::Statement> putSession_;
  std::optional<SQLite::Statement> putStatement_;
  std::optional<SQLite::Statement> putBatch_;
  std::deque<std::unique_ptr<Write>> unwritten_;  // ends that the disk did not take
  std::size_t unwrittenBytes_ = 0;
  std::string unwrittenReason_;

  std::mutex mutex_;
  std::condition_variable queued_;   // something to write, or the end
  std::condition_variable drained_;  // room in the queue
  std::deque<std::unique_ptr<Write>> queue_;
  std::size_t queuedBytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hearth::host
