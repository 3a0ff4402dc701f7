#include <SQLiteCpp/Database.h>

#include <catch2/catch.hpp>
#include <future>

#include "../unit/temp_folder.h"
#include "store/SqliteStore.h"

using namespace hearth::host;
using hearth::test::TempFolder;

namespace {

BatchRow batchRow(std::int64_t id) {
  BatchRow row;
  row.id = id;
  row.name = "n" + std::to_string(id);
  row.owner = "ann";
  row.proxyUser = "bob";
  row.state = "running";
  row.reason = "why";
  row.request = "{\"file\":\"/a\"}";
  row.info = "{}";
  row.tag = "tag";
  row.folder = "/f";
  row.idempotencyKey = "k" + std::to_string(id);
  row.requestDigest = "d";
  row.ending = "kill";
  row.created = 1;
  row.submitted = 2;
  row.stateSince = 3;
  return row;
}

void put(Store& store, const BatchRow& row) {
  std::promise<std::string> done;
  store.putBatch(row, [&](const std::string& error) { done.set_value(error); });
  REQUIRE(done.get_future().get().empty());
}

}  // namespace

TEST_CASE("batches come back as they were put, also after a restart", "[batch][store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  BatchRow hidden = batchRow(1);
  hidden.ended = 4;
  hidden.deleted = true;
  {
    SqliteStore store(file);
    put(store, batchRow(0));
    put(store, hidden);
    put(store, batchRow(2));
  }
  const SqliteStore store(file);
  const auto row = store.batch(1);
  REQUIRE(row);
  for (const auto& [found, put] :
       {std::pair{row->name, hidden.name}, std::pair{row->owner, hidden.owner},
        std::pair{row->proxyUser, hidden.proxyUser}, std::pair{row->state, hidden.state},
        std::pair{row->reason, hidden.reason}, std::pair{row->request, hidden.request},
        std::pair{row->info, hidden.info}, std::pair{row->tag, hidden.tag},
        std::pair{row->folder, hidden.folder},
        std::pair{row->idempotencyKey, hidden.idempotencyKey},
        std::pair{row->requestDigest, hidden.requestDigest}, std::pair{row->ending, hidden.ending}})
    CHECK(found == put);
  CHECK(row->created == 1);
  CHECK(row->submitted == 2);
  CHECK(row->stateSince == 3);
  CHECK(row->ended == 4);
  CHECK(row->deleted);
  CHECK(store.countBatches(false) == 2);
  CHECK(store.countBatches(true) == 3);
  CHECK(store.batches(1, 1, false).at(0).id == 2);
  CHECK(store.batches(1, 1, true).at(0).id == 1);
  CHECK(store.openBatches().size() == 2);
  CHECK(store.batchByName("n2")->id == 2);
  CHECK_FALSE(store.batchByName("n1"));  // deleted
  CHECK(store.batchByKey("ann", "k1")->id == 1);
  CHECK_FALSE(store.batchByKey("bob", "k1"));
  CHECK_FALSE(store.batchByKey("ann", ""));
}

TEST_CASE("numbers of batches are their own and never given twice", "[batch][store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  {
    SqliteStore store(file);
    CHECK(store.nextBatchId() == 0);
    CHECK(store.nextSessionId() == 0);
    for (std::int64_t id = 1; id < 40; ++id) CHECK(store.nextBatchId() == id);
  }
  SqliteStore store(file);
  CHECK(store.nextBatchId() == 40);
  CHECK(store.nextSessionId() == 1);
}

TEST_CASE("a store from before there were batches learns of them", "[batch][store]") {
  const TempFolder folder;
  const std::string file = folder / "hearth.db";
  { const SqliteStore store(file); }
  {
    SQLite::Database database(file, SQLite::OPEN_READWRITE);
    database.exec(
        "DROP TABLE batches; DELETE FROM counters WHERE name = 'batch';"
        "DROP INDEX sessions_key; ALTER TABLE sessions DROP COLUMN idempotency_key;"
        "ALTER TABLE sessions DROP COLUMN request_digest;"
        "DROP INDEX statements_open; ALTER TABLE statements DROP COLUMN options;"
        "DROP INDEX sessions_ended; DROP INDEX sessions_unmeasured;"
        "ALTER TABLE sessions DROP COLUMN disk_bytes;"
        "PRAGMA user_version = 2");
    database.exec(
        "INSERT INTO sessions VALUES (0,'','','','spark','dead','','{}','','','/f',1,1,1,0)");
  }
  SqliteStore store(file);
  put(store, batchRow(0));
  CHECK(store.batch(0));
  REQUIRE(store.session(0));
  CHECK(store.session(0)->idempotencyKey.empty());
}
