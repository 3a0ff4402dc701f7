#include <catch2/catch.hpp>
#include <vector>

#include "batch/BatchQueue.h"

using hearth::host::BatchQueue;

namespace {

std::vector<std::int64_t> drain(BatchQueue& queue) {
  std::vector<std::int64_t> order;
  while (const auto next = queue.next()) {
    order.push_back(*next);
    queue.release();
  }
  return order;
}

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("no more batches run at once than there are places", "[batch]") {
  BatchQueue queue(2);
  for (std::int64_t id = 0; id < 4; ++id) queue.add("", id);
  CHECK(queue.next() == 0);
  CHECK(queue.next() == 1);
  CHECK_FALSE(queue.next());
  queue.release();
  CHECK(queue.next() == 2);
  CHECK_FALSE(queue.next());
  CHECK(queue.waiting() == 1);
}

TEST_CASE("a user with many batches does not keep others waiting", "[batch]") {
  BatchQueue queue(1);
  for (std::int64_t id = 0; id < 5; ++id) queue.add("ann", id);
  queue.add("bob", 10);
  queue.add("bob", 11);
  queue.add("eve", 20);
  CHECK(drain(queue) == Ids{0, 10, 20, 1, 11, 2, 3, 4});
}

TEST_CASE("the position that a batch is told is its turn", "[batch]") {
  BatchQueue queue(1);
  for (std::int64_t id = 0; id < 7; ++id) queue.add("ann", id);
  for (std::int64_t id = 10; id < 13; ++id) queue.add("bob", id);
  for (std::int64_t id = 20; id < 25; ++id) queue.add("eve", id);
  // In the middle of a round, and after one has gone.
  REQUIRE(queue.next() == 0);
  queue.release();
  REQUIRE(queue.remove(21));
  std::vector<std::pair<std::size_t, std::int64_t>> told;
  for (std::int64_t id = 0; id < 25; ++id)
    if (const auto position = queue.position(id)) told.emplace_back(*position, id);
  std::sort(told.begin(), told.end());
  Ids expected;
  for (std::size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].first == i);
    expected.push_back(told[i].second);
  }
  CHECK(drain(queue) == expected);
}

TEST_CASE("a batch that is taken out has no turn, and its user none where it was the last",
          "[batch]") {
  BatchQueue queue(1);
  queue.add("ann", 1);
  queue.add("bob", 2);
  CHECK(queue.remove(1));
  CHECK_FALSE(queue.remove(1));
  CHECK_FALSE(queue.position(1));
  queue.add("ann", 3);
  CHECK(drain(queue) == Ids{2, 3});
  CHECK(queue.waiting() == 0);
}

TEST_CASE("applications that ran when the host came back count", "[batch]") {
  BatchQueue queue(1);
  queue.occupy();
  queue.occupy();
  queue.add("", 1);
  CHECK_FALSE(queue.next());
  queue.release();
  CHECK_FALSE(queue.next());
  queue.release();
  CHECK(queue.next() == 1);
}
