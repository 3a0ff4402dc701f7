// What survives the host: sessions and statements, behind a narrow interface.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hearth::host {

/// A session as stored. Times are milliseconds since the Unix epoch, 0 for "not yet".
struct SessionRow {
  std::int64_t id = 0;
  std::string name;       ///< empty: none
  std::string owner;      ///< empty: nobody (authentication off)
  std::string proxyUser;  ///< empty: none
  std::string kind;
  std::string state;    ///< Livy's name
  std::string reason;   ///< why it is in that state, for people; may be empty
  std::string request;  ///< JSON object: the create request as accepted
  std::string info;     ///< JSON object: appId, appInfo and the like; may be empty
  std::string
      recovery;        ///< what a next run takes it up with: session/RecoveryRecord.h; may be empty
  std::string folder;  ///< the session's log folder, absolute
  std::int64_t created = 0;
  std::int64_t stateSince = 0;
  std::int64_t ended = 0;
  bool deleted = false;        ///< asked for by a client: hidden from Livy's routes
  std::string idempotencyKey;  ///< that it was created with; empty: none
  std::string requestDigest;   ///< of the request that came with the key
};

/// A statement as stored. `bundle` is JSON text that is never parsed here.
struct StatementRow {
  std::int64_t session = 0;
  std::int64_t id = 0;
  std::string kind;
  std::string code;
  std::string options;  ///< JSON object for the plugin; empty: none
  std::string state;    ///< waiting, running, cancelling, available, cancelled
  std::string outcome;  ///< ok, error, cancelled, incomplete, lost; empty while open
  std::string bundle;   ///< empty while open
  std::string out;      ///< what it printed to stdout, bounded by the writer
  std::string err;
  std::string displays;  ///< MIME bundles shown beside the result: JSON objects joined by commas
  double progress = 0;
  std::int64_t submitted = 0;
  std::int64_t started = 0;
  std::int64_t completed = 0;
};

/// Numbers of a session's statements: those there are lie in [first, end).
struct StatementSpan {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

/// A batch as stored.
struct BatchRow {
  std::int64_t id = 0;
  std::string name;            ///< empty: none
  std::string owner;           ///< empty: nobody (authentication off)
  std::string proxyUser;       ///< empty: none
  std::string state;           ///< Livy's name
  std::string reason;          ///< why it is in that state, for people; may be empty
  std::string request;         ///< JSON object: the request as accepted
  std::string info;            ///< JSON object: appId, appInfo and the like; may be empty
  std::string tag;             ///< by which a cluster knows the application
  std::string folder;          ///< its log and files, absolute
  std::string idempotencyKey;  ///< empty: none
  std::string requestDigest;   ///< of the request that came with the key
  std::string ending;  ///< "kill" or "delete" once its end was asked for, also before it has come
  std::int64_t created = 0;
  std::int64_t submitted = 0;  ///< its turn came
  std::int64_t stateSince = 0;
  std::int64_t ended = 0;
  bool deleted = false;  ///< asked for by a client: hidden from Livy's routes
};

/// The disk said no, or the file is not ours. `what()` names the file and the way out.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What is stored cannot be read.
class StoreReadError : public StoreError {
 public:
  using StoreError::StoreError;
};

/// Durable rows. Writes are queued to one writer, which commits them in groups; reads see what is
/// committed. All methods are thread-safe. Reads throw StoreReadError.
class Store {
 public:
  /// Called on the writer's thread once the write is committed (empty text) or has failed (why).
  /// Must not block. May be null. A row that ends something (a completed statement, an ended
  /// session or batch) and that the disk did not take is told so, and written once the disk takes
  /// it.
  using Done = std::function<void(const std::string& error)>;

  virtual ~Store() = default;

  /// A number never handed out before, also across restarts and crashes.
  virtual std::int64_t nextSessionId() = 0;

  virtual void putSession(SessionRow row, Done done) = 0;  ///< insert or replace by id
  /// Insert or replace by (session, id). The row is read later: it must not change any more.
  virtual void putStatement(std::shared_ptr<const StatementRow> row, Done done) = 0;
  void putStatement(StatementRow row, Done done) {
    putStatement(std::make_shared<const StatementRow>(std::move(row)), std::move(done));
  }
  /// Runs `done` when everything queued before it is committed; with an error where an end queued
  /// before it could not be written yet.
  virtual void barrier(Done done) = 0;

  virtual std::optional<SessionRow> session(std::int64_t id) const = 0;
  /// Live (not ended) sessions, for take-up after a start; in order of id.
  virtual std::vector<SessionRow> openSessions() const = 0;
  /// Sessions by id, ascending, from the `from`-th; deleted ones only when asked for. A row that
  /// cannot be read is skipped and logged.
  virtual std::vector<SessionRow> sessions(std::int64_t from, std::int64_t size,
                                           bool withDeleted) const = 0;
  virtual std::int64_t countSessions(bool withDeleted) const = 0;
  /// Not deleted session of that name, if any; live ones first, then the newest.
  virtual std::optional<SessionRow> sessionByName(const std::string& name) const = 0;
  /// The session that the owner made with that idempotency key, deleted or not.
  virtual std::optional<SessionRow> sessionByKey(const std::string& owner,
                                                 const std::string& key) const = 0;

  virtual std::optional<StatementRow> statement(std::int64_t session, std::int64_t id) const = 0;
  /// From the `from`-th in the given order.
  virtual std::vector<StatementRow> statements(std::int64_t session, std::int64_t from,
                                               std::int64_t size, bool descending) const = 0;
  virtual std::int64_t countStatements(std::int64_t session) const = 0;
  /// Those of the session that have not ended, in order of id; one that cannot be read is skipped
  /// and logged.
  virtual std::vector<StatementRow> openStatements(std::int64_t session) const = 0;
  virtual StatementSpan statementSpan(std::int64_t session) const = 0;
  /// Those with smaller ids than `below`; the caller sees to it that they are few.
  virtual void removeStatements(std::int64_t session, std::int64_t below, Done done) = 0;

  /// Batches, as sessions above.
  virtual std::int64_t nextBatchId() = 0;
  virtual void putBatch(BatchRow row, Done done) = 0;
  virtual std::optional<BatchRow> batch(std::int64_t id) const = 0;
  virtual std::vector<BatchRow> openBatches() const = 0;
  virtual std::vector<BatchRow> batches(std::int64_t from, std::int64_t size,
                                        bool withDeleted) const = 0;
  virtual std::int64_t countBatches(bool withDeleted) const = 0;
  virtual std::optional<BatchRow> batchByName(const std::string& name) const = 0;
  /// The batch that the owner made with that idempotency key, deleted or not.
  virtual std::optional<BatchRow> batchByKey(const std::string& owner,
                                             const std::string& key) const = 0;
};

}  // namespace hearth::host
