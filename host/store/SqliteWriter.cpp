#include "store/SqliteWriter.h"

#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "store/Schema.h"
#include "store/SqliteReader.h"
#include "store/SqliteRows.h"
#include "support/FaultPoint.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

using Write = SqliteWriter::Write;

// Beyond this the callers wait: memory is bounded where the disk is slow.
constexpr std::size_t maxQueuedBytes = 64u << 20;
// Beyond this the ends that the disk does not take are lost with the process.
constexpr std::size_t maxUnwrittenBytes = 64u << 20;
constexpr std::size_t groupRows = 512;
constexpr std::chrono::seconds retryTime{1};

std::size_t bytesOf(const Write& write) {
  std::size_t sum = 512;
  if (write.statement)
    for (const std::string* text :
         {&write.statement->code, &write.statement->options, &write.statement->bundle,
          &write.statement->out, &write.statement->err, &write.statement->displays})
      sum += text->size();
  if (write.session)
    for (const std::string* text :
         {&write.session->request, &write.session->info, &write.session->recovery})
      sum += text->size();
  if (write.batch) sum += write.batch->request.size() + write.batch->info.size();
  return sum;
}

bool changesAnything(const Write& write) {
  return write.session || write.batch || write.statement || write.work;
}

bool endsSomething(const Write& write) {
  return (write.session && write.session->ended > 0) || (write.batch && write.batch->ended > 0) ||
         (write.statement && write.statement->completed > 0);
}

bool sameRow(const Write& one, const Write& other) {
  if (one.session && other.session) return one.session->id == other.session->id;
  if (one.batch && other.batch) return one.batch->id == other.batch->id;
  if (one.statement && other.statement)
    return one.statement->session == other.statement->session &&
           one.statement->id == other.statement->id;
  return false;
}

std::string nameOf(const Write& write) {
  if (write.session) return "session " + std::to_string(write.session->id);
  if (write.batch) return "batch " + std::to_string(write.batch->id);
  return "session " + std::to_string(write.statement->session) + ", statement " +
         std::to_string(write.statement->id);
}

/// Another time it may work.
bool passes(const SQLite::Exception& error) {
  switch (error.getErrorCode() & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return true;
    default:
      return false;
  }
}

void tell(const Write& write, const std::string& error) {
  if (!write.done) return;
  try {
    write.done(error);
  } catch (const std::exception& thrown) {
    log().error("store: a callback threw: {}", thrown.what());
  }
}

template <typename Row>
void run(SQLite::Statement& query, const Row& row) {
  // Not reset(), which throws again what the run before this one has thrown.
  query.tryReset();
  bind(query, row);
  query.exec();
}

}  // namespace

SqliteWriter::SqliteWriter(const std::string& file)
    : file_(file), database_(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, sqliteBusyMillis) {
  checkOurs(database_);  // before anything is changed in it
  // Of a new file only; an older one has to be vacuumed for it.
  database_.exec("PRAGMA auto_vacuum = INCREMENTAL");
  database_.exec("PRAGMA journal_mode = WAL");
  database_.exec("PRAGMA synchronous = NORMAL");
  database_.exec("PRAGMA journal_size_limit = 67108864");
  migrate(database_);
  putSession_.emplace(database_, insertSession());
  putStatement_.emplace(database_, insertStatement());
  putBatch_.emplace(database_, insertBatch());
}

SqliteWriter::~SqliteWriter() {
  stop();
}

void SqliteWriter::start() {
  thread_ = std::thread([this] { work(); });
}

void SqliteWriter::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  queued_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SqliteWriter::enqueue(std::unique_ptr<Write> write) {
  const std::size_t bytes = bytesOf(*write);
  std::unique_lock<std::mutex> lock(mutex_);
  // The writer's own callbacks are let through: they would wait for themselves.
  if (std::this_thread::get_id() != thread_.get_id())
    drained_.wait(lock, [&] { return queuedBytes_ < maxQueuedBytes || stopping_; });
  queuedBytes_ += bytes;
  queue_.push_back(std::move(write));
  lock.unlock();
  queued_.notify_one();
}

void SqliteWriter::work() {
  auto retryAt = std::chrono::steady_clock::time_point();
  for (;;) {
    Group group;
    bool stopping = false;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto due = [this] { return !queue_.empty() || stopping_; };
      if (unwritten_.empty())
        queued_.wait(lock, due);
      else
        queued_.wait_until(lock, retryAt, due);
      stopping = stopping_ && queue_.empty();
      while (!queue_.empty() && group.size() < groupRows) {
        queuedBytes_ -= bytesOf(*queue_.front());
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    drained_.notify_all();
    if (!group.empty()) commit(group);
    const auto now = std::chrono::steady_clock::now();
    if (!unwritten_.empty() && (now >= retryAt || stopping)) {
      retry();
      retryAt = now + retryTime;
    }
    if (stopping) break;
  }
  for (const auto& write : unwritten_)
    log().error("store: {}: its end is lost with this process", nameOf(*write));
}

void SqliteWriter::apply(const Write& write) {
  if (write.session) run(*putSession_, *write.session);
  if (write.statement) run(*putStatement_, *write.statement);
  if (write.batch) run(*putBatch_, *write.batch);
  if (write.work) write.work(database_);
}

void SqliteWriter::transact(const std::function<void()>& apply) {
  SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
  apply();
  if (faultPoint("store.commit.before") == Fault::error)
    throw SQLite::Exception("disk I/O error", SQLITE_IOERR);
  transaction.commit();
}

void SqliteWriter::commit(Group& group) {
  try {
    if (std::any_of(group.begin(), group.end(),
                    [](const auto& write) { return changesAnything(*write); })) {
      transact([&] {
        for (const auto& write : group) apply(*write);
      });
      faultPoint("store.commit.after");
    }
    for (const auto& write : group) {
      supersede(*write);
      tell(*write, waiting(*write));
    }
    return;
  } catch (const std::exception& error) {
    log().warn("store: {} rows were not written together, trying them one by one: {}", group.size(),
               error.what());
  }
  for (auto& write : group) commitOne(std::move(write));
}

void SqliteWriter::commitOne(std::unique_ptr<Write> write) {
  std::string failure;
  bool kept = false;
  try {
    transact([&] { apply(*write); });
  } catch (const SQLite::Exception& error) {
    failure = explain(file_, error);
    kept = passes(error) && endsSomething(*write);
  } catch (const std::exception& error) {
    failure = file_ + ": " + error.what();
  }
  if (failure.empty()) supersede(*write);
  tell(*write, failure.empty() ? waiting(*write) : failure);
  if (kept) keep(std::move(write), failure);
}

// A barrier does not stand while something before it is in memory alone.
std::string SqliteWriter::waiting(const Write& write) const {
  return changesAnything(write) || unwritten_.empty() ? std::string() : unwrittenReason_;
}

void SqliteWriter::keep(std::unique_ptr<Write> write, const std::string& reason) {
  unwrittenReason_ = reason;
  supersede(*write);
  const std::size_t bytes = bytesOf(*write);
  if (unwrittenBytes_ + bytes > maxUnwrittenBytes) {
    log().error("store: {}: its end was not written, and too much waits to be written again",
                nameOf(*write));
    return;
  }
  log().warn("store: {}: its end is kept in memory until it can be written", nameOf(*write));
  write->done = nullptr;
  unwrittenBytes_ += bytes;
  unwritten_.push_back(std::move(write));
}

// What was to be written before is older.
void SqliteWriter::supersede(const Write& written) {
  const auto old = std::find_if(unwritten_.begin(), unwritten_.end(),
                                [&](const auto& one) { return sameRow(*one, written); });
  if (old == unwritten_.end()) return;
  unwrittenBytes_ -= bytesOf(**old);
  unwritten_.erase(old);
}

void SqliteWriter::retry() {
  std::size_t written = 0;
  while (!unwritten_.empty()) {
    const Write& write = *unwritten_.front();
    try {
      transact([&] { apply(write); });
    } catch (const SQLite::Exception& error) {
      if (passes(error)) break;
      log().error("store: {}: its end cannot be written: {}", nameOf(write), error.what());
    }
    unwrittenBytes_ -= bytesOf(write);
    unwritten_.pop_front();
    ++written;
  }
  if (written > 0)
    log().info("store: {} rows that could not be written before are, {} wait", written,
               unwritten_.size());
}

}  // namespace hearth::host
