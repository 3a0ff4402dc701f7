#include "store/SqliteStore.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "store/SqliteIds.h"
#include "store/SqliteReader.h"
#include "store/SqliteRows.h"
#include "store/SqliteWriter.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

constexpr char writable[] = ". The file and its folder must be writable by this user";

/// Creates the file, or sees to it that only this user can read it. SQLite gives its -wal and -shm
/// the same mode, so it has to be right before they are made.
void makePrivate(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) throw StoreError(std::strerror(errno) + std::string(writable));
  ::fchmod(descriptor, 0600);
  ::close(descriptor);
}

}  // namespace

bool isDamage(const SQLite::Exception& error) {
  const int code = error.getErrorCode() & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

std::string explain(const std::string& file, const SQLite::Exception& error) {
  const std::string text = file + ": " + error.what();
  if (isDamage(error))
    return text +
           ". The file is damaged or no store of Hearth; it was left as it is. Move it away "
           "(with its -wal and -shm) to start with an empty store, or restore a backup";
  switch (error.getErrorCode() & 0xff) {
    case SQLITE_FULL:
      return text + ". There is no space left: free some on its disk, then try again";
    case SQLITE_IOERR:
      return text + ". The disk failed, or its space or a limit of file sizes is used up";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
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
    if (descriptor_ < 0) throw StoreError(path + ": " + std::strerror(errno) + writable);
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

SqliteStore::SqliteStore(const std::string& file) : file_(file) {
  lock_ = std::make_unique<FileLock>(file);
  try {
    makePrivate(file);
    writer_ = std::make_unique<SqliteWriter>(file);
    sessionIds_ = std::make_unique<SqliteIds>(writer_->database(), file, "session");
    batchIds_ = std::make_unique<SqliteIds>(writer_->database(), file, "batch");
  } catch (const SQLite::Exception& error) {
    throw StoreError(explain(file, error));
  } catch (const StoreError& error) {
    throw StoreError(file + ": " + error.what());
  }
  writer_->start();
}

SqliteStore::~SqliteStore() {
  writer_->stop();
  sessionIds_->giveBack(writer_->database());
  batchIds_->giveBack(writer_->database());
}

std::int64_t SqliteStore::nextSessionId() {
  return sessionIds_->next();
}

std::int64_t SqliteStore::nextBatchId() {
  return batchIds_->next();
}

void SqliteStore::putSession(SessionRow row, Store::Done done) {
  auto write = std::make_unique<SqliteWriter::Write>();
  write->session = std::move(row);
  write->done = std::move(done);
  writer_->enqueue(std::move(write));
}

void SqliteStore::putStatement(std::shared_ptr<const StatementRow> row, Store::Done done) {
  auto write = std::make_unique<SqliteWriter::Write>();
  write->statement = std::move(row);
  write->done = std::move(done);
  writer_->enqueue(std::move(write));
}

void SqliteStore::putBatch(BatchRow row, Store::Done done) {
  auto write = std::make_unique<SqliteWriter::Write>();
  write->batch = std::move(row);
  write->done = std::move(done);
  writer_->enqueue(std::move(write));
}

void SqliteStore::barrier(Store::Done done) {
  auto write = std::make_unique<SqliteWriter::Write>();
  write->done = std::move(done);
  writer_->enqueue(std::move(write));
}

namespace {

std::string selectSession() {
  return std::string("SELECT ") + sessionColumns + " FROM sessions WHERE id = ?";
}

std::string selectStatement() {
  return std::string("SELECT ") + statementColumns +
         " FROM statements WHERE session = ?1 AND id = ?2";
}

}  // namespace

std::optional<SessionRow> SqliteStore::session(std::int64_t id) const {
  return read([&](SqliteReader& reader) -> std::optional<SessionRow> {
    auto& query = reader.query(selectSession());
    query.bind(1, id);
    auto rows = allOf<SessionRow>(query, "sessions", sessionFrom);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

std::vector<SessionRow> SqliteStore::openSessions() const {
  return read([&](SqliteReader& reader) {
    auto& ids = reader.query("SELECT id FROM sessions WHERE ended = 0 ORDER BY id");
    return eachOf<SessionRow>(ids, reader.query(selectSession()), 1, "session", sessionFrom);
  });
}

std::vector<SessionRow> SqliteStore::sessions(std::int64_t from, std::int64_t size,
                                              bool withDeleted) const {
  return read([&](SqliteReader& reader) {
    // The page is found in the index alone; only its own rows are then read.
    auto& ids = reader.query(
        withDeleted ? "SELECT id FROM sessions ORDER BY id LIMIT ?1 OFFSET ?2"
                    : "SELECT id FROM sessions WHERE deleted = 0 ORDER BY id LIMIT ?1 OFFSET ?2");
    ids.bind(1, size);
    ids.bind(2, from);
    return eachOf<SessionRow>(ids, reader.query(selectSession()), 1, "session", sessionFrom);
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
    auto& query = reader.query(selectSession());
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
    auto& query = reader.query(selectStatement());
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
    auto& ids =
        reader.query(std::string("SELECT id FROM statements WHERE session = ?1 ORDER BY id") +
                     (descending ? " DESC" : "") + " LIMIT ?2 OFFSET ?3");
    ids.bind(1, session);
    ids.bind(2, size);
    ids.bind(3, from);
    auto& one = reader.query(selectStatement());
    one.bind(1, session);
    return eachOf<StatementRow>(ids, one, 2, "statement", statementFrom);
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
    auto& ids =
        reader.query("SELECT id FROM statements WHERE session = ? AND completed = 0 ORDER BY id");
    ids.bind(1, session);
    auto& one = reader.query(selectStatement());
    one.bind(1, session);
    return eachOf<StatementRow>(ids, one, 2, "statement", statementFrom);
  });
}

StatementSpan SqliteStore::statementSpan(std::int64_t session) const {
  return read([&](SqliteReader& reader) {
    // One end each: only so is it a single step into the index.
    const auto end = [&](const char* which) -> std::optional<std::int64_t> {
      auto& query = reader.query(std::string("SELECT id FROM statements WHERE session = ? "
                                             "ORDER BY id ") +
                                 which + " LIMIT 1");
      query.bind(1, session);
      if (!query.executeStep()) return std::nullopt;
      return query.getColumn(0).getInt64();
    };
    const auto first = end("ASC");
    return first ? StatementSpan{*first, end("DESC").value_or(*first) + 1} : StatementSpan{};
  });
}

}  // namespace hearth::host
