// The embedded store: one SQLite file in WAL mode, one writer thread, a few readers.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/Store.h"

namespace hearth::host {

class SqliteIds;
class SqliteReader;

/// Durable against kill -9 of the host (WAL, synchronous=NORMAL; a power cut may cost the last
/// moments, never the file). Writes are queued and committed in groups by one thread; when a group
/// fails its rows are tried one by one, so that only the bad one does. Readers never wait for the
/// writer.
class SqliteStore final : public Store {
 public:
  /// Opens or creates the file and migrates an older one. Throws StoreError for a file that is in
  /// use by another host, corrupt, no database, from a newer Hearth, or not writable: the file is
  /// left as it is.
  explicit SqliteStore(const std::string& file);
  ~SqliteStore() override;  ///< commits what is queued

  std::int64_t nextSessionId() override;
  void putSession(SessionRow row, Done done) override;
  using Store::putStatement;
  void putStatement(std::shared_ptr<const StatementRow> row, Done done) override;
  void barrier(Done done) override;
  std::optional<SessionRow> session(std::int64_t id) const override;
  std::vector<SessionRow> openSessions() const override;
  std::vector<SessionRow> sessions(std::int64_t from, std::int64_t size,
                                   bool withDeleted) const override;
  std::int64_t countSessions(bool withDeleted) const override;
  std::optional<SessionRow> sessionByName(const std::string& name) const override;
  std::optional<SessionRow> sessionByKey(const std::string& owner,
                                         const std::string& key) const override;
  std::optional<StatementRow> statement(std::int64_t session, std::int64_t id) const override;
  std::vector<StatementRow> statements(std::int64_t session, std::int64_t from, std::int64_t size,
                                       bool descending) const override;
  std::int64_t countStatements(std::int64_t session) const override;
  std::vector<StatementRow> openStatements(std::int64_t session) const override;
  std::int64_t nextStatementId(std::int64_t session) const override;

  std::int64_t nextBatchId() override;
  void putBatch(BatchRow row, Done done) override;
  std::optional<BatchRow> batch(std::int64_t id) const override;
  std::vector<BatchRow> openBatches() const override;
  std::vector<BatchRow> batches(std::int64_t from, std::int64_t size,
                                bool withDeleted) const override;
  std::int64_t countBatches(bool withDeleted) const override;
  std::optional<BatchRow> batchByName(const std::string& name) const override;
  std::optional<BatchRow> batchByKey(const std::string& owner,
                                     const std::string& key) const override;

 private:
  class FileLock;
  class Writer;
  struct Write;

  void enqueue(std::unique_ptr<Write> write);
  void work();
  void commit(std::vector<std::unique_ptr<Write>>& group);
  template <typename Query>
  auto read(Query query) const;

  std::string file_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<Writer> writer_;  // its thread only, but for the constructor

  mutable std::mutex readersMutex_;
  mutable std::vector<std::unique_ptr<SqliteReader>> readers_;  // those not in use

  std::mutex queueMutex_;
  std::condition_variable queued_;   // something to write, or the end
  std::condition_variable drained_;  // room in the queue
  std::deque<std::unique_ptr<Write>> queue_;
  std::size_t queuedBytes_ = 0;
  bool stopping_ = false;

  std::unique_ptr<SqliteIds> sessionIds_;
  std::unique_ptr<SqliteIds> batchIds_;
  std::thread thread_;
};

}  // namespace hearth::host
