// What the tests of the store share: rows to put, and waiting for their commit.
#pragma once

#include <SQLiteCpp/Database.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "store/SqliteStore.h"
#include "temp_folder.h"

namespace hearth::test {

using namespace hearth::host;

/// The error of one write, once it is decided.
class Outcome {
 public:
  Store::Done done() {
    return [promise = promise_](const std::string& error) { promise->set_value(error); };
  }
  std::string get() {
    auto future = promise_->get_future();
    if (future.wait_for(std::chrono::seconds(90)) != std::future_status::ready)
      return "never decided";
    return future.get();
  }

 private:
  std::shared_ptr<std::promise<std::string>> promise_ =
      std::make_shared<std::promise<std::string>>();
};

inline std::string put(Store& store, SessionRow row) {
  Outcome outcome;
  store.putSession(std::move(row), outcome.done());
  return outcome.get();
}
inline std::string put(Store& store, StatementRow row) {
  Outcome outcome;
  store.putStatement(std::move(row), outcome.done());
  return outcome.get();
}

inline SessionRow sessionRow(std::int64_t id, const std::string& name = "") {
  SessionRow row;
  row.id = id;
  row.name = name;
  row.owner = "owner " + std::to_string(id);
  row.proxyUser = "proxy";
  row.kind = "pyspark";
  row.state = "idle";
  row.reason = "why";
  row.request = R"({"kind":"pyspark"})";
  row.info = R"({"appId":null})";
  row.recovery = R"({"spark":"blob"})";
  row.folder = "/folder/" + std::to_string(id);
  row.created = 1700000000123;
  row.stateSince = 1700000000456;
  return row;
}

inline StatementRow statementRow(std::int64_t session, std::int64_t id) {
  StatementRow row;
  row.session = session;
  row.id = id;
  row.kind = "spark";
  row.code = "1 + " + std::to_string(id);
  row.state = "available";
  row.outcome = "ok";
  row.bundle = R"({"text/plain":"2"})";
  row.out = "printed";
  row.err = "complained";
  row.progress = 0.25;
  row.submitted = 1;
  row.started = 2;
  row.completed = 3;
  return row;
}

/// Runs SQL on the file from outside the store.
inline void meddle(const std::string& file, const std::string& sql) {
  SQLite::Database database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 10000);
  database.exec(sql);
}

inline std::string refusal(const std::string& file) {
  try {
    SqliteStore store(file);
  } catch (const StoreError& error) {
    return error.what();
  }
  return "opened";
}

}  // namespace hearth::test
