// The embedded store: one SQLite file in WAL mode, one writer thread, a few readers.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/Store.h"
#include "store/StoreUpkeep.h"

namespace hearth::host {

class SqliteIds;
class SqliteReader;
class SqliteWriter;

/// Durable against kill -9 of the host (WAL, synchronous=NORMAL; a power cut may cost the last
/// moments, never the file). Writes are queued for one thread, see SqliteWriter. Readers never wait
/// for it.
class SqliteStore final : public Store, public StoreUpkeep {
 public:
  /// Opens or creates the file and migrates an older one. Throws StoreError for a file that is in
  /// use by another host, corrupt, no database, from a newer Hearth, or not writable: the file is
  /// left as it is.
  explicit SqliteStore(const std::string& file);
  ~SqliteStore() override;  ///< commits what is queued

  std::int64_t nextSessionId() override;
  void putSession(SessionRow row, Store::Done done) override;
  using Store::putStatement;
  void putStatement(std::shared_ptr<const StatementRow> row, Store::Done done) override;
  void barrier(Store::Done done) override;
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
  StatementSpan statementSpan(std::int64_t session) const override;
  void removeStatements(std::int64_t session, std::int64_t below, Store::Done done) override;

  std::int64_t nextBatchId() override;
  void putBatch(BatchRow row, Store::Done done) override;
  std::optional<BatchRow> batch(std::int64_t id) const override;
  std::vector<BatchRow> openBatches() const override;
  std::vector<BatchRow> batches(std::int64_t from, std::int64_t size,
                                bool withDeleted) const override;
  std::int64_t countBatches(bool withDeleted) const override;
  std::optional<BatchRow> batchByName(const std::string& name) const override;
  std::optional<BatchRow> batchByKey(const std::string& owner,
                                     const std::string& key) const override;

  std::int64_t firstOfThisRun(What what) const override;
  bool has(What what, std::int64_t id) const override;
  Totals totals(What what) const override;
  std::vector<Ended> ended(What what, const Ended& after, std::int64_t size) const override;
  std::vector<Ended> unmeasured(What what, std::int64_t size) const override;
  void setBytes(What what, std::int64_t id, std::int64_t bytes, Store::Done done) override;
  void remove(What what, std::int64_t id, Step done) override;
  std::int64_t usedBytes() const override;
  void compact(Step done) override;

 private:
  class FileLock;

  template <typename Query>
  auto read(Query query) const;

  std::string file_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<SqliteWriter> writer_;

  mutable std::mutex readersMutex_;
  mutable std::vector<std::unique_ptr<SqliteReader>> readers_;  // those not in use

  std::unique_ptr<SqliteIds> sessionIds_;
  std::unique_ptr<SqliteIds> batchIds_;
};

}  // namespace hearth::host
