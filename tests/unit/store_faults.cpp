#include <sys/mount.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "faulty_disk.h"
#include "small_disk.h"
#include "store_bench.h"
#include "support/FileContent.h"

using namespace hearth::test;

namespace {

/// One that has not ended: where it was refused it must not turn up later.
StatementRow openStatement(std::int64_t id) {
  StatementRow row = statementRow(1, id);
  row.state = "waiting";
  row.completed = 0;
  return row;
}

/// Writes until there is no space left.
void fill(const std::string& path) {
  std::ofstream stream(path, std::ios::binary | std::ios::app);
  const std::string block(4096, 'x');
  while (stream.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  stream.clear();
  while (stream.put('x').flush()) continue;
}

}  // namespace

TEST_CASE("disk that fills up", "[.store-disk-child]") {
  const std::string file = disk() + "/hearth.db";
  const std::string filler = disk() + "/filler";
  std::set<std::int64_t> acknowledged;
  std::set<std::int64_t> ids;
  {
    SqliteStore store(file);
    REQUIRE(put(store, sessionRow(0)).empty());
    for (int round = 0; round < 3; ++round) {
      fill(filler);
      std::string error;
      for (int i = 0; i < 400 && error.empty(); ++i) {
        StatementRow row = statementRow(0, round * 1000 + i);
        row.bundle.assign(8000, 'x');
        error = put(store, row);
        if (error.empty()) acknowledged.insert(row.id);
      }
      CHECK_THAT(error, Catch::Contains(file) && Catch::Contains("free some on its disk"));
      // What is there can be read, and an id is given or refused, but never twice.
      CHECK(store.session(0));
      for (int i = 0; i < 40; ++i) {
        try {
          const std::int64_t id = store.nextSessionId();
          CHECK(ids.insert(id).second);
        } catch (const StoreError& refused) {
          CHECK_THAT(refused.what(), Catch::Contains(file) && Catch::Contains("free some"));
        }
      }
      std::filesystem::remove(filler);
      CHECK(put(store, statementRow(0, round * 1000 + 999)).empty());
      acknowledged.insert(round * 1000 + 999);
      CHECK(ids.insert(store.nextSessionId()).second);
    }
    fill(filler);
  }
  // Started where there is no space: it says so, or runs.
  const std::string start = refusal(file);
  if (start != "opened") CHECK_THAT(start, Catch::Contains(file) && Catch::Contains("space"));
  std::filesystem::remove(filler);
  SqliteStore store(file);
  for (const std::int64_t id : acknowledged) CHECK(store.statement(0, id));
  CHECK(ids.insert(store.nextSessionId()).second);
  CHECK(put(store, sessionRow(1)).empty());
}

TEST_CASE("disk that may not be written", "[.store-disk-child]") {
  const std::string file = disk() + "/hearth.db";
  {
    SqliteStore store(file);
    REQUIRE(put(store, sessionRow(1)).empty());
  }
  const std::string before = fileContent(file);
  REQUIRE(::mount(nullptr, disk().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
  CHECK_THAT(refusal(file), Catch::Contains(file) && Catch::Contains("must be writable"));
  CHECK(fileContent(file) == before);
  REQUIRE(::mount(nullptr, disk().c_str(), nullptr, MS_REMOUNT, nullptr) == 0);
  const SqliteStore store(file);
  CHECK(store.session(1));
}

TEST_CASE("a disk without space refuses writes and loses none; with space the store goes on",
          "[store]") {
  CHECK(passesOnSmallDisk("disk that fills up"));
}

TEST_CASE("a read-only disk is refused with the way out, and nothing is changed", "[store]") {
  CHECK(passesOnSmallDisk("disk that may not be written"));
}

TEST_CASE("a disk that fails is told to those who write, and the store outlives it", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  FaultyDisk faulty;
  std::set<std::int64_t> acknowledged;
  {
    SqliteStore store(file);
    REQUIRE(put(store, sessionRow(1)).empty());
    int id = 0;
    for (const int code : {SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_IOERR_WRITE}) {
      faulty.write = code;
      const int before = faulty.failed;
      const std::string error = put(store, openStatement(++id));
      CHECK_THAT(error, Catch::Contains(file) && Catch::Contains("disk"));
      CHECK(faulty.failed > before);
      CHECK(store.session(1));
      faulty.write = SQLITE_OK;
      CHECK(put(store, openStatement(++id)).empty());
      acknowledged.insert(id);
    }
    // Many at once: those that failed are told so, each by itself.
    faulty.write = SQLITE_IOERR_WRITE;
    std::vector<Outcome> outcomes(50);
    for (auto& outcome : outcomes) store.putStatement(openStatement(++id), outcome.done());
    for (auto& outcome : outcomes) CHECK(!outcome.get().empty());
    faulty.write = SQLITE_OK;
    // Nothing can be synced: what is in the log of the file is safe from kill -9 all the same.
    faulty.sync = SQLITE_IOERR_FSYNC;
    for (int i = 0; i < 300; ++i) {
      StatementRow row = openStatement(++id);
      row.bundle.assign(30000, 'x');
      if (put(store, row).empty()) acknowledged.insert(id);
    }
    faulty.sync = SQLITE_OK;
    CHECK(put(store, openStatement(++id)).empty());
    acknowledged.insert(id);
    // Enough to have pages that no cache holds.
    faulty.read = SQLITE_IOERR_READ;
    CHECK_THROWS_AS(store.statements(1, 0, 500, false), StoreError);
    faulty.read = SQLITE_OK;
    CHECK(store.statements(1, 0, 500, false).size() == acknowledged.size());
  }
  SqliteStore store(file);
  for (const std::int64_t id : acknowledged) CHECK(store.statement(1, id));
  CHECK(store.countStatements(1) == static_cast<std::int64_t>(acknowledged.size()));
}

TEST_CASE("a result or an end that the disk did not take is written once it does", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  const auto batchRow = [](const std::string& state) {
    BatchRow row;
    row.id = 5;
    row.state = state;
    row.ended = state == "success" ? 9 : 0;
    return row;
  };
  const auto putBatch = [](Store& store, const BatchRow& row) {
    Outcome outcome;
    store.putBatch(row, outcome.done());
    return outcome.get();
  };
  FaultyDisk faulty;
  {
    SqliteStore store(file);
    SessionRow session = sessionRow(1);
    REQUIRE(put(store, session).empty());
    REQUIRE(put(store, openStatement(0)).empty());
    REQUIRE(put(store, openStatement(1)).empty());
    REQUIRE(putBatch(store, batchRow("running")).empty());

    faulty.write = SQLITE_FULL;
    CHECK(!put(store, statementRow(1, 0)).empty());
    StatementRow superseded = statementRow(1, 1);
    superseded.outcome = "error";
    CHECK(!put(store, superseded).empty());
    CHECK(!put(store, statementRow(1, 1)).empty());
    session.ended = 7;
    CHECK(!put(store, session).empty());
    CHECK(!putBatch(store, batchRow("success")).empty());
    Outcome barrier;
    store.barrier(barrier.done());
    CHECK_THAT(barrier.get(), Catch::Contains("space"));  // a driver must not forget them yet
    SessionRow refused = sessionRow(2);
    CHECK(!put(store, refused).empty());
    SECTION("at the end of the store, if not before") {
      faulty.write = SQLITE_OK;
    }
    SECTION("while it goes on, and not over what was written since") {
      faulty.write = SQLITE_OK;
      session.deleted = true;
      session.reason = "newer";
      CHECK(put(store, session).empty());
      for (int i = 0; i < 900 && store.batch(5)->state != "success"; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      CHECK(store.session(1)->reason == "newer");
      Outcome written;
      store.barrier(written.done());
      CHECK(written.get().empty());
    }
  }
  const SqliteStore store(file);
  CHECK(store.statement(1, 0)->outcome == "ok");
  CHECK(store.statement(1, 1)->outcome == "ok");
  CHECK(store.session(1)->ended == 7);
  CHECK(store.batch(5)->state == "success");
  CHECK_FALSE(store.session(2));
}

TEST_CASE("a damaged page costs its own rows only, and does not stop the start", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  constexpr int all = 200;
  {
    SqliteStore store(file);
    for (int i = 0; i < all; ++i) {
      SessionRow row = sessionRow(i, "n" + std::to_string(i));
      row.request =
          "{\"marker\":\"session " + std::to_string(i) + ".\"" + std::string(800, ' ') + "}";
      store.putSession(row, nullptr);
      StatementRow statement = statementRow(7, i);
      statement.code = "statement " + std::to_string(i) + "." + std::string(800, ' ');
      store.putStatement(statement, nullptr);
    }
  }
  constexpr std::size_t page = 4096;
  std::string content = fileContent(file);
  for (const char* marker : {"session 100.", "statement 100."}) {
    const std::size_t at = content.find(marker);
    REQUIRE(at != std::string::npos);
    content.replace(at / page * page, page, page, '\x55');
  }
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;

  SqliteStore store(file);
  const auto spared = [](const auto& rows) {
    return rows.size() < all && rows.size() > all - 10 && rows.front().id == 0 &&
           rows.back().id == all - 1;
  };
  CHECK(spared(store.openSessions()));
  CHECK(spared(store.sessions(0, all, false)));
  CHECK(spared(store.statements(7, 0, all, false)));
  CHECK(store.session(0));
  CHECK_THROWS_AS(store.session(100), StoreError);
  CHECK_THROWS_AS(store.statement(7, 100), StoreError);
  CHECK_THAT(put(store, sessionRow(100)), Catch::Contains("damaged"));
  CHECK(put(store, sessionRow(all)).empty());
  CHECK(put(store, statementRow(8, 0)).empty());
  CHECK(store.session(all));
}

TEST_CASE("a file that was cut short is refused with a way out, and left alone", "[store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  {
    SqliteStore store(file);
    for (int i = 0; i < 500; ++i) store.putStatement(statementRow(1, i), nullptr);
  }
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2 / 4096 * 4096);
  const std::string before = fileContent(file);
  CHECK_THAT(refusal(file), Catch::Contains(file) && Catch::Contains("Move it away"));
  CHECK(fileContent(file) == before);
}
