#include <catch2/catch.hpp>

#include "store/DiskFloor.h"

using hearth::host::DiskFloor;
using std::chrono::milliseconds;

TEST_CASE("below the floor new work is refused with a clear text until there is space", "[store]") {
  std::optional<std::uint64_t> free = 200 << 20;
  DiskFloor floor(
      "/data", 100 << 20, [&] { return free; }, milliseconds(0));
  CHECK(floor.refusal().empty());
  free = (100 << 20) - 1;
  CHECK_THAT(floor.refusal(), Catch::Contains("/data") && Catch::Contains("100.0 MiB left") &&
                                  Catch::Contains("store.disk_floor"));
  free = 100 << 20;
  CHECK(floor.refusal().empty());
  free = std::nullopt;  // nobody knows: that is no reason to stop
  CHECK(floor.refusal().empty());
}

TEST_CASE("a request does not cost a look at the disk", "[store]") {
  int looks = 0;
  const auto ask = [&]() -> std::optional<std::uint64_t> { return ++looks; };
  DiskFloor floor("/data", 100, ask, std::chrono::hours(1));
  for (int i = 0; i < 1000; ++i) CHECK(!floor.refusal().empty());
  CHECK(looks == 1);
  DiskFloor none("/data", 0, ask, milliseconds(0));
  CHECK(none.refusal().empty());
  CHECK(looks == 1);
}
