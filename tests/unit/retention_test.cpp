#include "retention/Retention.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "retention/FolderRemoval.h"
#include "small_disk.h"
#include "store_bench.h"
#include "support/Time.h"

using namespace hearth::test;
using std::chrono::milliseconds;
using What = StoreUpkeep::What;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t hour = 3600 * 1000;

/// A data folder with a store, and retention on it.
class Bench {
 public:
  Bench() {
    fs::create_directories(sessions());
    fs::create_directories(batches());
    open();
  }
  void open() {
    store.reset();
    store = std::make_unique<SqliteStore>(folder / "hearth.db");
  }

  std::string sessions() const { return folder / "sessions"; }
  std::string batches() const { return folder / "batches"; }
  std::string sessionFolder(std::int64_t id) const { return sessions() + "/" + std::to_string(id); }

  void addSession(std::int64_t ended, int statements = 3, std::size_t logBytes = 10) {
    SessionRow row = sessionRow(store->nextSessionId());
    row.ended = ended;
    write(sessionFolder(row.id) + "/session.log", logBytes);
    write(sessionFolder(row.id) + "/output/0.stdout", 10);
    store->putSession(row, nullptr);
    for (int i = 0; i < statements; ++i) store->putStatement(statementRow(row.id, i), nullptr);
  }
  void addBatch(std::int64_t ended) {
    BatchRow row;
    row.id = store->nextBatchId();
    row.ended = ended;
    write(batches() + "/" + std::to_string(row.id) + "/batch.log", 10);
    store->putBatch(row, nullptr);
  }
  static void write(const std::string& path, std::size_t bytes) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << std::string(bytes, 'x');
  }
  void settle() const {
    Outcome all;
    store->barrier(all.done());
    REQUIRE(all.get().empty());
  }

  std::set<std::int64_t> left() const {
    std::set<std::int64_t> ids;
    for (const auto& row : store->sessions(0, 100000, true)) ids.insert(row.id);
    return ids;
  }
  std::set<std::int64_t> batchesLeft() const {
    std::set<std::int64_t> ids;
    for (const auto& row : store->batches(0, 100000, true)) ids.insert(row.id);
    return ids;
  }

  /// Runs retention until `done` holds; then once more around, where it should find nothing to do.
  void run(RetentionOptions options, const std::function<bool()>& done) {
    settle();
    options.interval = milliseconds(10);
    EventLoop loop("retention", 2);
    Retention retention(loop, *store, options, sessions(), batches());
    retention.start();
    bool came = false;
    for (int i = 0; i < 9000 && !(came = done()); ++i)
      std::this_thread::sleep_for(milliseconds(10));
    std::this_thread::sleep_for(milliseconds(50));
    loop.stop();
    settle();
    CHECK(came);
  }

  const TempFolder folder;
  std::unique_ptr<SqliteStore> store;
};

using Ids = std::set<std::int64_t>;

}  // namespace

TEST_CASE("what ended long ago goes with all it had, the rest and all that lives stays",
          "[retention]") {
  Bench bench;
  const std::int64_t now = nowMillis();
  bench.addSession(now - 3 * hour);
  bench.addSession(now - hour / 2);
  bench.addSession(0);
  bench.addSession(now - 2 * hour, 1000);
  bench.addBatch(now - 3 * hour);
  bench.addBatch(0);
  bench.addBatch(now);
  RetentionOptions options;
  options.age = milliseconds(hour);
  bench.run(options, [&] { return bench.left().size() == 2 && bench.batchesLeft().size() == 2; });
  CHECK(bench.left() == Ids{1, 2});
  CHECK(bench.batchesLeft() == Ids{1, 2});
  for (const std::int64_t id : {0, 3}) {
    CHECK(bench.store->countStatements(id) == 0);
    CHECK_FALSE(fs::exists(bench.sessionFolder(id)));
  }
  for (const std::int64_t id : {1, 2}) {
    CHECK(bench.store->countStatements(id) == 3);
    CHECK(fs::exists(bench.sessionFolder(id) + "/session.log"));
  }
  CHECK_FALSE(fs::exists(bench.batches() + "/0"));
  CHECK(fs::exists(bench.batches() + "/1/batch.log"));
  // Nobody gets the number of one that is gone.
  bench.open();
  CHECK(bench.store->nextSessionId() == 4);
  CHECK(bench.store->nextBatchId() == 3);
}

TEST_CASE("of too many the newest stay, by when they ended", "[retention]") {
  Bench bench;
  for (int i = 0; i < 300; ++i) bench.addSession(i % 3 == 0 ? 0 : 100000 - i);
  for (int i = 0; i < 5; ++i) bench.addBatch(1 + i);
  RetentionOptions options;
  options.sessions = 10;
  options.batches = 2;
  bench.run(options, [&] { return bench.left().size() == 110 && bench.batchesLeft().size() == 2; });
  CHECK(bench.batchesLeft() == Ids{3, 4});
  Ids expected;
  for (int i = 0; i < 300; i += 3) expected.insert(i);
  int ended = 0;
  for (int i = 0; ended < 10; ++i)
    if (i % 3 != 0 && expected.insert(i).second) ++ended;
  CHECK(bench.left() == expected);
}

TEST_CASE("without bounds nothing goes", "[retention]") {
  Bench bench;
  for (int i = 0; i < 20; ++i) bench.addSession(1 + i);
  for (int i = 0; i < 20; ++i) bench.addBatch(1 + i);
  bench.run(RetentionOptions(), [] { return true; });
  CHECK(bench.left().size() == 20);
  CHECK(bench.batchesLeft().size() == 20);
}

TEST_CASE("beyond the bytes what ended first goes first, until all fits", "[retention]") {
  Bench bench;
  constexpr std::size_t megabyte = 1 << 20;
  for (int i = 0; i < 10; ++i) bench.addSession(1 + i, 3, megabyte);
  bench.addSession(0, 3, 20 * megabyte);  // lives
  RetentionOptions options;
  // Room for the store's file and four of the folders.
  options.bytes = 5 * megabyte;
  bench.run(options, [&] { return bench.left().size() <= 5; });
  CHECK(bench.left() == Ids{6, 7, 8, 9, 10});
  std::int64_t all = bench.store->usedBytes();
  for (int i = 6; i < 10; ++i) all += bytesOn(bench.sessionFolder(i));
  CHECK(all <= static_cast<std::int64_t>(options.bytes));
  // A row that is written again, as by a client's DELETE, is measured again.
  SessionRow again = *bench.store->session(9);
  again.deleted = true;
  REQUIRE(put(*bench.store, again).empty());
  CHECK(bench.store->unmeasured(What::sessions, 10).size() == 1);
  bench.run(options, [&] { return bench.store->unmeasured(What::sessions, 10).empty(); });
  CHECK(bench.left() == Ids{6, 7, 8, 9, 10});
}

TEST_CASE("folders of which the store knows nothing go, but none of this run and nothing else",
          "[retention]") {
  Bench bench;
  for (int i = 0; i < 3; ++i) bench.addSession(i);
  for (int i = 0; i < 40; ++i) bench.store->nextSessionId();
  bench.settle();
  bench.open();
  const std::int64_t fresh = bench.store->nextSessionId();
  REQUIRE(fresh == 43);
  Bench::write(bench.folder / "elsewhere/precious", 10);
  for (int i = 3; i < 43; ++i) Bench::write(bench.sessionFolder(i) + "/output/a/b/c", 10);
  for (int i = 0; i < 600; ++i)
    Bench::write(bench.sessionFolder(7) + "/output/" + std::to_string(i), 1);
  fs::create_directory_symlink(bench.folder / "elsewhere", bench.sessionFolder(5) + "/link");
  Bench::write(bench.sessionFolder(fresh) + "/session.log", 10);
  Bench::write(bench.sessions() + "/notes/4", 10);
  const auto folders = [&] {
    return std::distance(fs::directory_iterator(bench.sessions()), fs::directory_iterator());
  };
  bench.run(RetentionOptions(), [&] { return folders() <= 5; });
  CHECK(folders() == 5);
  for (int i = 0; i < 3; ++i) CHECK(fs::exists(bench.sessionFolder(i) + "/session.log"));
  CHECK(fs::exists(bench.sessionFolder(fresh) + "/session.log"));
  CHECK(fs::exists(bench.sessions() + "/notes/4"));
  CHECK(fs::exists(bench.folder / "elsewhere/precious"));
}

TEST_CASE("a removal that was interrupted at any point is done at the next look", "[retention]") {
  Bench bench;
  bench.addSession(1, 200);
  bench.settle();
  const auto step = [&] {
    std::promise<bool> more;
    bench.store->remove(What::sessions, 0, [&](const std::string& error, bool rest) {
      CHECK(error.empty());
      more.set_value(rest);
    });
    return more.get_future().get();
  };
  std::int64_t had = 200;
  // The row is there as long as anything is, so that it is found again.
  while (step()) {
    CHECK(bench.store->session(0));
    const std::int64_t has = bench.store->countStatements(0);
    CHECK(has < had);
    CHECK(has > 0);
    had = has;
  }
  CHECK_FALSE(bench.store->session(0));
  CHECK(bench.store->countStatements(0) == 0);
  CHECK_FALSE(step());  // it is no error to come again

  bench.addSession(1, 200);
  fs::remove_all(bench.sessionFolder(1));
  RetentionOptions options;
  options.age = milliseconds(1);
  bench.run(options, [&] { return bench.left().empty(); });
  CHECK(bench.store->countStatements(1) == 0);
}

TEST_CASE("what lives is not removed, whoever asks", "[retention]") {
  Bench bench;
  bench.addSession(0);
  bench.settle();
  std::promise<bool> more;
  bench.store->remove(What::sessions, 0,
                      [&](const std::string&, bool rest) { more.set_value(rest); });
  CHECK_FALSE(more.get_future().get());
  CHECK(bench.store->session(0));
  CHECK(bench.store->countStatements(0) == 3);
}

TEST_CASE("retention can be stopped in the midst of its work", "[retention]") {
  Bench bench;
  for (int i = 0; i < 400; ++i) bench.addSession(1 + i, 1);
  bench.settle();
  RetentionOptions options;
  options.age = milliseconds(1);
  {
    EventLoop loop("retention", 2);
    Retention retention(loop, *bench.store, options, bench.sessions(), bench.batches());
    retention.start();
    while (bench.store->countSessions(true) == 400) std::this_thread::yield();
    loop.stop();
  }
  bench.settle();
  for (const std::int64_t id : bench.left()) CHECK(bench.store->countStatements(id) == 1);
}

TEST_CASE("the store's file gives back what was removed", "[retention]") {
  Bench bench;
  const std::string file = bench.folder / "hearth.db";
  for (int i = 0; i < 60; ++i) {
    bench.addSession(1 + i, 0);
    StatementRow row = statementRow(i, 0);
    row.bundle.assign(1 << 20, 'x');
    bench.store->putStatement(row, nullptr);
  }
  bench.settle();
  bench.open();
  const auto before = fs::file_size(file);
  CHECK(before > 60u << 20);
  const std::int64_t used = bench.store->usedBytes();
  RetentionOptions options;
  options.sessions = 1;
  const auto pages = [&] {
    SQLite::Database database(file, SQLite::OPEN_READONLY);
    return database.execAndGet("PRAGMA page_count").getInt64();
  };
  const std::int64_t whole = pages();
  bench.run(options, [&] { return bench.left().size() == 1 && pages() < whole / 4; });
  CHECK(bench.store->usedBytes() < used / 10);
  bench.open();
  CHECK(fs::file_size(file) < before / 4);
}

TEST_CASE("a store that cannot shrink uses its free pages again", "[retention]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  { SqliteStore store(file); }
  meddle(file, "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM");
  SqliteStore store(file);
  SessionRow row = sessionRow(1);
  row.ended = 1;
  StatementRow large = statementRow(1, 0);
  large.bundle.assign(16 << 20, 'x');
  std::int64_t size = 0;
  for (int round = 0; round < 4; ++round) {
    REQUIRE(put(store, row).empty());
    REQUIRE(put(store, large).empty());
    for (int i = 0; i < 3; ++i) {
      std::promise<bool> more;
      store.remove(What::sessions, 1, [&](const std::string&, bool rest) { more.set_value(rest); });
      REQUIRE_FALSE(more.get_future().get());
    }
    std::promise<bool> more;
    store.compact([&](const std::string& error, bool rest) {
      CHECK(error.empty());
      more.set_value(rest);
    });
    CHECK_FALSE(more.get_future().get());
    SQLite::Database database(file, SQLite::OPEN_READONLY);
    const std::int64_t pages = database.execAndGet("PRAGMA page_count").getInt64();
    if (round > 0) CHECK(pages <= size + 10);
    size = pages;
  }
}

TEST_CASE("folder that cannot be removed", "[.store-disk-child]") {
  REQUIRE(!disk().empty());
  Bench bench;
  for (int i = 0; i < 10; ++i) bench.addSession(1 + i);
  const std::string stuck = bench.sessionFolder(1) + "/output";
  REQUIRE(::mount("none", stuck.c_str(), "tmpfs", 0, nullptr) == 0);
  RetentionOptions options;
  options.sessions = 4;
  bench.run(options, [&] { return bench.left().size() == 5; });
  // It is not forgotten, and no other goes in its place.
  CHECK(bench.left() == Ids{1, 6, 7, 8, 9});
  REQUIRE(::umount(stuck.c_str()) == 0);
  options.sessions = 3;
  bench.run(options, [&] { return bench.left().count(1) == 0; });
  CHECK(bench.left() == Ids{7, 8, 9});
}

TEST_CASE("a folder that cannot be removed holds up no other", "[retention]") {
  CHECK(passesOnSmallDisk("folder that cannot be removed"));
}
