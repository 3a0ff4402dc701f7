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
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "store/Schema.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

constexpr int busyMillis = 5000;
// Ids are reserved in blocks, so that creating a session costs no commit of its own. A clean end
// gives the rest of the block back; only a crash leaves a gap.
constexpr std::int64_t idBlock = 16;
// Beyond this the callers wait: memory is bounded where the disk is slow.
constexpr std::size_t maxQueuedBytes = 64u << 20;
constexpr std::size_t groupRows = 512;
constexpr std::size_t keptReaders = 4;

const char* const sessionColumns =
    "id, name, owner, proxy_user, kind, state, reason, request, info, recovery, folder, created, "
    "state_since, ended, deleted";
const char* const statementColumns =
    "session, id, kind, code, state, outcome, bundle, out, err, displays, progress, submitted, "
    "started, completed";

// A column of the wrong type is a row that something else has written: SQLite would convert it in
// silence, and a wrong number is worse than a row that is passed over.
std::string textAt(SQLite::Statement& query, int column) {
  const SQLite::Column value = query.getColumn(column);
  if (!value.isText()) throw StoreError("column " + std::string(value.getName()) + " is no text");
  return value.getString();
}
std::int64_t integerAt(SQLite::Statement& query, int column) {
  const SQLite::Column value = query.getColumn(column);
  if (!value.isInteger())
    throw StoreError("column " + std::string(value.getName()) + " is no integer");
  return value.getInt64();
}
double realAt(SQLite::Statement& query, int column) {
  const SQLite::Column value = query.getColumn(column);
  if (!value.isFloat() && !value.isInteger())
    throw StoreError("column " + std::string(value.getName()) + " is no number");
  return value.getDouble();
}

SessionRow sessionFrom(SQLite::Statement& query) {
  SessionRow row;
  int column = 0;
  row.id = integerAt(query, column++);
  for (std::string* text : {&row.name, &row.owner, &row.proxyUser, &row.kind, &row.state,
                            &row.reason, &row.request, &row.info, &row.recovery, &row.folder})
    *text = textAt(query, column++);
  for (std::int64_t* number : {&row.created, &row.stateSince, &row.ended})
    *number = integerAt(query, column++);
  row.deleted = integerAt(query, column) != 0;
  return row;
}

StatementRow statementFrom(SQLite::Statement& query) {
  StatementRow row;
  int column = 0;
  row.session = integerAt(query, column++);
  row.id = integerAt(query, column++);
  for (std::string* text : {&row.kind, &row.code, &row.state, &row.outcome, &row.bundle, &row.out,
                            &row.err, &row.displays})
    *text = textAt(query, column++);
  row.progress = realAt(query, column++);
  for (std::int64_t* number : {&row.submitted, &row.started, &row.completed})
    *number = integerAt(query, column++);
  return row;
}

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

// Held as long as the store: a second host on the same file would hand out the same ids.
class SqliteStore::FileLock {
 public:
  explicit FileLock(const std::string& file) {
    const std::string path = file + ".lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) throw StoreError(path + ": " + std::strerror(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      char owner[32] = "";
      const ssize_t length = ::pread(descriptor_, owner, sizeof owner - 1, 0);
      owner[length > 0 ? length : 0] = '\0';
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
  int descriptor_ = -1;
};

struct SqliteStore::Write {
  std::optional<SessionRow> session;
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
    return sum;
  }
};

class SqliteStore::Writer {
 public:
  explicit Writer(const std::string& file)
      : database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busyMillis) {
    checkOurs(database);  // before anything is changed in it
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = NORMAL");
    database.exec("PRAGMA journal_size_limit = 67108864");
    migrate(database);
    putSession.emplace(database, std::string("INSERT OR REPLACE INTO sessions (") + sessionColumns +
                                     ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    putStatement.emplace(database,
                         std::string("INSERT INTO statements (") + statementColumns +
                             ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (session, id) DO "
                             "UPDATE SET kind = excluded.kind, code = excluded.code, "
                             "state = excluded.state, outcome = excluded.outcome, "
                             "bundle = excluded.bundle, out = excluded.out, err = excluded.err, "
                             "displays = excluded.displays, "
                             "progress = excluded.progress, submitted = excluded.submitted, "
                             "started = excluded.started, completed = excluded.completed");
  }

  void apply(const Write& write) {
    if (write.session) {
      const SessionRow& row = *write.session;
      SQLite::Statement& query = *putSession;
      // Not reset(), which throws again what the run before this one has thrown.
      query.tryReset();
      int at = 1;
      query.bind(at++, row.id);
      for (const std::string* text :
           {&row.name, &row.owner, &row.proxyUser, &row.kind, &row.state, &row.reason, &row.request,
            &row.info, &row.recovery, &row.folder})
        query.bindNoCopy(at++, *text);
      for (const std::int64_t number : {row.created, row.stateSince, row.ended})
        query.bind(at++, number);
      query.bind(at, row.deleted ? 1 : 0);
      query.exec();
    }
    if (write.statement) {
      const StatementRow& row = *write.statement;
      SQLite::Statement& query = *putStatement;
      // Not reset(), which throws again what the run before this one has thrown.
      query.tryReset();
      int at = 1;
      query.bind(at++, row.session);
      query.bind(at++, row.id);
      for (const std::string* text : {&row.kind, &row.code, &row.state, &row.outcome, &row.bundle,
                                      &row.out, &row.err, &row.displays})
        query.bindNoCopy(at++, *text);
      query.bind(at++, std::isfinite(row.progress) ? row.progress : 0.0);
      for (const std::int64_t number : {row.submitted, row.started, row.completed})
        query.bind(at++, number);
      query.exec();
    }
  }

  SQLite::Database database;
  std::optional<SQLite::Statement> putSession;
  std::optional<SQLite::Statement> putStatement;
};

class SqliteStore::Reader {
 public:
  explicit Reader(const std::string& file) : database(file, SQLite::OPEN_READWRITE, busyMillis) {
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

SqliteStore::SqliteStore(const std::string& file) : file_(file) {
  lock_ = std::make_unique<FileLock>(file);
  try {
    makePrivate(file);
    writer_ = std::make_unique<Writer>(file);
    reserved_ = nextId_ =
        writer_->database.execAndGet("SELECT value FROM counters WHERE name = 'session'")
            .getInt64();
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
  try {
    SQLite::Statement back(writer_->database,
                           "UPDATE counters SET value = ? WHERE name = 'session'");
    back.bind(1, nextId_);
    back.exec();
  } catch (const SQLite::Exception& error) {
    log().warn("store: unused session ids were not given back: {}", error.what());
  }
}

std::int64_t SqliteStore::nextSessionId() {
  const std::lock_guard<std::mutex> lock(idMutex_);
  if (nextId_ == reserved_) {
    // On a connection of its own: the writer's belongs to its thread.
    try {
      SQLite::Database database(file_, SQLite::OPEN_READWRITE, busyMillis);
      database.exec("PRAGMA synchronous = NORMAL");
      SQLite::Statement take(database, "UPDATE counters SET value = ? WHERE name = 'session'");
      take.bind(1, reserved_ + idBlock);
      take.exec();
    } catch (const SQLite::Exception& error) {
      throw StoreError(explain(file_, error));
    }
    reserved_ += idBlock;
  }
  return nextId_++;
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
  for (const auto& write : group) anything = anything || write->session || write->statement;
  try {
    if (anything) {
      SQLite::Transaction transaction(writer_->database, SQLite::TransactionBehavior::IMMEDIATE);
      for (const auto& write : group) writer_->apply(*write);
      transaction.commit();
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
      transaction.commit();
    } catch (const SQLite::Exception& error) {
      failure = explain(file_, error);
    } catch (const std::exception& error) {
      failure = file_ + ": " + error.what();
    }
    tell(*write, failure);
  }
}

template <typename Query>
auto SqliteStore::read(Query query) const {
  std::unique_ptr<Reader> reader;
  {
    const std::lock_guard<std::mutex> lock(readersMutex_);
    if (!readers_.empty()) {
      reader = std::move(readers_.back());
      readers_.pop_back();
    }
  }
  try {
    if (!reader) reader = std::make_unique<Reader>(file_);
    auto result = query(*reader);
    reader->rest();
    const std::lock_guard<std::mutex> lock(readersMutex_);
    if (readers_.size() < keptReaders) readers_.push_back(std::move(reader));
    return result;
  } catch (const SQLite::Exception& error) {
    throw StoreError(explain(file_, error));
  }
}

std::optional<SessionRow> SqliteStore::session(std::int64_t id) const {
  return read([&](Reader& reader) -> std::optional<SessionRow> {
    auto& query =
        reader.query(std::string("SELECT ") + sessionColumns + " FROM sessions WHERE id = ?");
    query.bind(1, id);
    auto rows = allOf<SessionRow>(query, "sessions", sessionFrom);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  });
}

std::vector<SessionRow> SqliteStore::openSessions() const {
  return read([&](Reader& reader) {
    auto& query = reader.query(std::string("SELECT ") + sessionColumns +
                               " FROM sessions WHERE ended = 0 ORDER BY id");
    return allOf<SessionRow>(query, "sessions", sessionFrom);
  });
}

std::vector<SessionRow> SqliteStore::sessions(std::int64_t from, std::int64_t size,
                                              bool withDeleted) const {
  return read([&](Reader& reader) {
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
  return read([&](Reader& reader) {
    auto& query = reader.query(withDeleted ? "SELECT count(*) FROM sessions"
                                           : "SELECT count(*) FROM sessions WHERE deleted = 0");
    query.executeStep();
    return query.getColumn(0).getInt64();
  });
}

std::optional<SessionRow> SqliteStore::sessionByName(const std::string& name) const {
  if (name.empty()) return std::nullopt;
  return read([&](Reader& reader) -> std::optional<SessionRow> {
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

std::optional<StatementRow> SqliteStore::statement(std::int64_t session, std::int64_t id) const {
  return read([&](Reader& reader) -> std::optional<StatementRow> {
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
  return read([&](Reader& reader) {
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
  return read([&](Reader& reader) {
    auto& query = reader.query("SELECT count(*) FROM statements WHERE session = ?");
    query.bind(1, session);
    query.executeStep();
    return query.getColumn(0).getInt64();
  });
}

}  // namespace hearth::host
