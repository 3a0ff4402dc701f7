#include "store/SqliteStore.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "store/Schema.h"
#include "store/SqliteIds.h"
#include "store/SqliteReader.h"
#include "store/SqliteRows.h"
#include "support/FaultPoint.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

// Beyond this the callers wait: memory is bounded where the disk is slow.
constexpr std::size_t maxQueuedBytes = 64u << 20;
constexpr std::size_t groupRows = 512;

/// Creates the file, or sees to it that only this user can read it. SQLite gives its -wal and -shm
/// the same mode, so it has to be right before they are made.
void makePrivate(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    throw StoreError(std::string(std::strerror(errno)) +
                     ". The file and its folder must be writable by this user");
  ::fchmod(descriptor, 0600);
  ::close(descriptor);
}

}  // namespace

std::string explain(const std::string& file, const SQLite::Exception& error) {
  std::string text = file + ": " + error.what();
  switch (error.getErrorCode()) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return text +
             ". The file is damaged or no store of Hearth; it was left as it is. Move it away "
             "(with its -wal and -shm) to start with an empty store, or restore a backup";
    case SQLITE_FULL:
      return text + ". The disk is full";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return text + ". The file and its folder must be writable by this user";
    default:
      return text;
  }
}

// Held as long as the store: a second host on the same file would hand out the same ids.
class SqliteStore::FileLock {
 public:
  explicit FileLock(const std::string& file) {
    const std::string path = file + ".lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) throw StoreError(path + ": " + std::strerror(errno));
    char owner[32] = "";
    const ssize_t length = ::pread(descriptor_, owner, sizeof owner - 1, 0);
    owner[length > 0 ? length : 0] = '\0';
    if (!lock(owner == std::to_string(::getpid()))) {
      ::close(descriptor_);
      throw StoreError(file + " is in use by another hearth (process " + owner +
                       "): stop it, or give this one another data.dir");
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(descriptor_, 0) != 0 ||
        ::pwrite(descriptor_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
      log().warn("store: {} could not be written: {}", path, std::strerror(errno));
  }
  ~FileLock() { ::close(descriptor_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  // The record lock is a process's alone and ends with it: it keeps other hosts away. Two stores of
  // one process are told apart by flock, which children hold too until they have called exec: one
  // that a killed host has left behind in that moment is waited for.
  bool lock(bool byThisProcess) const {
    struct ::flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(descriptor_, F_SETLK, &whole) != 0) return false;
    int locked;
    do locked = ::flock(descriptor_, byThisProcess ? LOCK_EX | LOCK_NB : LOCK_EX);
    while (locked != 0 && errno == EINTR);
    return locked == 0;
  }

  int descriptor_ = -1;
};

struct SqliteStore::Write {
  std::optional<SessionRow> session;
  std::optional<BatchRow> batch;
  std::shared_ptr<const StatementRow> statement;
  Done done;
  std::size_t bytes() const {
    std::size_t sum = 512;
    if (statement)
      for (const std::string* text : {&statement->code, &statement->bundle, &statement->out,
                                      &statement->err, &statement->displays})
        sum += text->size();
    if (session)
      for (const std::string* text : {&session->request, &session->info, &session->recovery})
        sum += text->size();
    if (batch) sum += batch->request.size() + batch->info.size();
    return sum;
  }
};

class SqliteStore::Writer {
 public:
  explicit Writer(const std::string& file)
      : database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, sqliteBusyMillis) {
    checkOurs(database);  // before anything is changed in it
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = NORMAL");
    database.exec("PRAGMA journal_size_limit = 67108864");
    migrate(database);
    putSession.emplace(database, insertSession());
    putStatement.emplace(database, insertStatement());
    putBatch.emplace(database, insertBatch());
  }

  void apply(const Write& write) {
    if (write.session) run(*putSession, *write.session);
    if (write.statement) run(*putStatement, *write.statement);
    if (write.batch) run(*putBatch, *write.batch);
  }

  template <typename Row>
  static void run(SQLite::Statement& query, const Row& row) {
    // Not reset(), which throws again what the run before this one has thrown.
    query.tryReset();
    bind(query, row);
    query.exec();
  }

  SQLite::Database database;
  std::optional<SQLite::Statement> putSession;
  std::optional<SQLite::Statement> putStatement;
  std::optional<SQLite::Statement> putBatch;
};

SqliteStore::SqliteStore(const std::string& file) : file_(file) {
  lock_ = std::make_unique<FileLock>(file);
  try {
    makePrivate(file);
    writer_ = std::make_unique<Writer>(file);
    sessionIds_ = std::make_unique<SqliteIds>(writer_->database, file, "session");
    batchIds_ = std::make_unique<SqliteIds>(writer_->database, file, "batch");
  } catch (const SQLite::Exception& error) {
    throw StoreError(explain(file, error));
  } catch (const StoreError& error) {
    throw StoreError(file + ": " + error.what());
  }
  thread_ = std::thread([this] { work(); });
}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard<std::mutex> lock(queueMutex_);
    stopping_ = true;
  }
  queued_.notify_all();
  thread_.join();
  sessionIds_->giveBack(writer_->database);
  batchIds_->giveBack(writer_->database);
}

std::int64_t SqliteStore::nextSessionId() {
  return sessionIds_->next();
}

std::int64_t SqliteStore::nextBatchId() {
  return batchIds_->next();
}

void SqliteStore::enqueue(std::unique_ptr<Write> write) {
  const std::size_t bytes = write->bytes();
  std::unique_lock<std::mutex> lock(queueMutex_);
  // The writer's own callbacks are let through: they would wait for themselves.
  if (std::this_thread::get_id() != thread_.get_id())
    drained_.wait(lock, [&] { return queuedBytes_ < maxQueuedBytes || stopping_; });
  queuedBytes_ += bytes;
  queue_.push_back(std::move(write));
  lock.unlock();
  queued_.notify_one();
}

void SqliteStore::putSession(SessionRow row, Done done) {
  auto write = std::make_unique<Write>();
  write->session = std::move(row);
  write->done = std::move(done);
  enqueue(std::move(write));
}

void SqliteStore::putStatement(std::shared_ptr<const StatementRow> row, Done done) {
  auto write = std::make_unique<Write>();
  write->statement = std::move(row);
  write->done = std::move(done);
  enqueue(std::move(write));
}

void SqliteStore::putBatch(BatchRow row, Done done) {
  auto write = std::make_unique<Write>();
  write->batch = std::move(row);
  write->done = std::move(done);
  enqueue(std::move(write));
}

void SqliteStore::barrier(Done done) {
  auto write = std::make_unique<Write>();
  write->done = std::move(done);
  enqueue(std::move(write));
}

void SqliteStore::work() {
  for (;;) {
    std::vector<std::unique_ptr<Write>> group;
    {
      std::unique_lock<std::mutex> lock(queueMutex_);
      queued_.wait(lock, [this] { return !queue_.empty() || stopping_; });
      if (queue_.empty()) return;
      while (!queue_.empty() && group.size() < groupRows) {
        queuedBytes_ -= queue_.front()->bytes();
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    drained_.notify_all();
    commit(group);
  }
}

void SqliteStore::commit(std::vector<std::unique_ptr<Write>>& group) {
  const auto tell = [](const Write& write, const std::string& error) {
    if (!write.done) return;
    try {
      write.done(error);
    } catch (const std::exception& thrown) {
      log().error("store: a callback threw: {}", thrown.what());
    }
  };
  bool anything = false;
  for (const auto& write : group)
    anything = anything || write->session || write->statement || write->batch;
  try {
    if (anything) {
      SQLite::Transaction transaction(writer_->database, SQLite::TransactionBehavior::IMMEDIATE);
      for (const auto& write : group) writer_->apply(*write);
      if (faultPoint("store.commit.before") == Fault::error)
        throw SQLite::Exception("disk I/O error", SQLITE_IOERR);
      transaction.commit();
      faultPoint("store.commit.after");
    }
    for (const auto& write : group) tell(*write, std::string());
    return;
  } catch (const std::exception& error) {
    log().warn("store: {} rows were not written together, trying them one by one: {}", group.size(),
               error.what());
  }
  for (const auto& write : group) {
    std::string failure;
    try {
      SQLite::Transaction transaction(writer_->database, SQLite::TransactionBehavior::IMMEDIATE);
      writer_->apply(*write);
      if (faultPoint("store.commit.before") == Fault::error)
        throw SQLite::Exception("disk I/O error", SQLITE_IOERR);
      transaction.commit();
    } catch (const SQLite::Exception& error) {
      failure = explain(file_, error);
    } catch (const std::exception& error) {
      failure = file_ + ": " + error.what();
    }
    tell(*write, failure);
  }
}

std::optional<SessionRow> SqliteStore::session(std::int64_t id) const {
  return read([&](SqliteReader& reader) -> std::optional<SessionRow> {
    auto& query =
        reader.query(std::string("SELECT ") + sessionColumns + " FROM sessions WHERE id = ?");
    query.bind(1, id);
    auto rows = allOf<SessionRow>(query, "sessions", sessionFrom);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

std::vector<SessionRow> SqliteStore::openSessions() const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(std::string("SELECT ") + sessionColumns +
                               " FROM sessions WHERE ended = 0 ORDER BY id");
    return allOf<SessionRow>(query, "sessions", sessionFrom);
  });
}

std::vector<SessionRow> SqliteStore::sessions(std::int64_t from, std::int64_t size,
                                              bool withDeleted) const {
  return read([&](SqliteReader& reader) {
    // The page is found in the index alone; only its own rows are then read.
    const char* const ids =
        withDeleted ? "SELECT id FROM sessions ORDER BY id LIMIT ?1 OFFSET ?2"
                    : "SELECT id FROM sessions WHERE deleted = 0 ORDER BY id LIMIT ?1 OFFSET ?2";
    auto& query = reader.query(std::string("SELECT ") + sessionColumns +
                               " FROM sessions WHERE id IN (" + ids + ") ORDER BY id");
    query.bind(1, size);
    query.bind(2, from);
    return allOf<SessionRow>(query, "sessions", sessionFrom);
  });
}

std::int64_t SqliteStore::countSessions(bool withDeleted) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(withDeleted ? "SELECT count(*) FROM sessions"
                                           : "SELECT count(*) FROM sessions WHERE deleted = 0");
    query.executeStep();
    return query.getColumn(0).getInt64();
  });
}

std::optional<SessionRow> SqliteStore::sessionByName(const std::string& name) const {
  if (name.empty()) return std::nullopt;
  return read([&](SqliteReader& reader) -> std::optional<SessionRow> {
    // Answered by the index alone. One row that cannot be read must not hide the next.
    auto& ids = reader.query(
        "SELECT id FROM sessions WHERE name = ? AND name <> '' AND deleted = 0 "
        "ORDER BY ended > 0, id DESC");
    ids.bind(1, name);
    auto& query =
        reader.query(std::string("SELECT ") + sessionColumns + " FROM sessions WHERE id = ?");
    while (ids.executeStep()) {
      query.tryReset();
      query.bind(1, ids.getColumn(0).getInt64());
      auto rows = allOf<SessionRow>(query, "sessions", sessionFrom);
      if (!rows.empty()) return std::move(rows.front());
    }
    return std::nullopt;
  });
}

std::optional<SessionRow> SqliteStore::sessionByKey(const std::string& owner,
                                                    const std::string& key) const {
  if (key.empty()) return std::nullopt;
  return read([&](SqliteReader& reader) -> std::optional<SessionRow> {
    auto& query = reader.query(std::string("SELECT ") + sessionColumns +
                               " FROM sessions WHERE owner = ? AND idempotency_key = ? AND "
                               "idempotency_key <> '' ORDER BY id");
    query.bind(1, owner);
    query.bind(2, key);
    auto rows = allOf<SessionRow>(query, "sessions", sessionFrom);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

std::optional<StatementRow> SqliteStore::statement(std::int64_t session, std::int64_t id) const {
  return read([&](SqliteReader& reader) -> std::optional<StatementRow> {
    auto& query = reader.query(std::string("SELECT ") + statementColumns +
                               " FROM statements WHERE session = ? AND id = ?");
    query.bind(1, session);
    query.bind(2, id);
    auto rows = allOf<StatementRow>(query, "statements", statementFrom);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

std::vector<StatementRow> SqliteStore::statements(std::int64_t session, std::int64_t from,
                                                  std::int64_t size, bool descending) const {
  return read([&](SqliteReader& reader) {
    const std::string order = descending ? " DESC" : "";
    auto& query =
        reader.query(std::string("SELECT ") + statementColumns +
                     " FROM statements WHERE session = ?1 AND id IN (SELECT id FROM statements "
                     "WHERE session = ?1 ORDER BY id" +
                     order + " LIMIT ?2 OFFSET ?3) ORDER BY id" + order);
    query.bind(1, session);
    query.bind(2, size);
    query.bind(3, from);
    return allOf<StatementRow>(query, "statements", statementFrom);
  });
}

std::int64_t SqliteStore::countStatements(std::int64_t session) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query("SELECT count(*) FROM statements WHERE session = ?");
    query.bind(1, session);
    query.executeStep();
    return query.getColumn(0).getInt64();
  });
}

std::vector<StatementRow> SqliteStore::openStatements(std::int64_t session) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query(std::string("SELECT ") + statementColumns +
                               " FROM statements WHERE session = ? AND completed = 0 ORDER BY id");
    query.bind(1, session);
    return allOf<StatementRow>(query, "statements", statementFrom);
  });
}

std::int64_t SqliteStore::nextStatementId(std::int64_t session) const {
  return read([&](SqliteReader& reader) {
    auto& query = reader.query("SELECT coalesce(max(id) + 1, 0) FROM statements WHERE session = ?");
    query.bind(1, session);
    query.executeStep();
    return query.getColumn(0).getInt64();
  });
}

}  // namespace hearth::host
