#include <catch2/catch.hpp>
#include <string>

#include "support/KeyedRequests.h"

using Keys = hearth::host::KeyedRequests<std::string>;

TEST_CASE("requests with one key get what the first one made", "[batch]") {
  Keys keys;
  std::string second;
  CHECK(keys.begin("ann", "k", "d", nullptr) == Keys::Begun::first);
  CHECK(keys.begin("ann", "k", "d", [&](const std::string& result) { second = result; }) ==
        Keys::Begun::joined);
  CHECK(keys.begin("ann", "k", "other", nullptr) == Keys::Begun::other);
  CHECK(keys.begin("bob", "k", "other", nullptr) == Keys::Begun::first);
  keys.finish("ann", "k", "made");
  CHECK(second == "made");
  // What the store does not know by now was refused: the next one is a first again.
  CHECK(keys.begin("ann", "k", "other", nullptr) == Keys::Begun::first);
}
