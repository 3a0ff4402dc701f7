// Calls that may never return.
#include <catch2/catch.hpp>
#include <future>
#include <memory>

#include "plugin/LimitedCall.h"

using hearth::host::LimitedCall;
using namespace std::chrono_literals;

namespace {

/// A call that returns when it is told to.
struct Gate {
  std::promise<void> opened;
  LimitedCall call{[gate = opened.get_future().share()] { gate.wait(); }};
};

}  // namespace

TEST_CASE("a call that returns in time is waited for, and what it wrote can be read") {
  const auto result = std::make_shared<int>(0);
  const LimitedCall call([result] { *result = 7; });
  CHECK(call.wait(0ms));
  CHECK(call.returned());
  CHECK(*result == 7);
}

TEST_CASE("a call that does not return keeps nobody, and tells when it has") {
  Gate gate;
  CHECK_FALSE(gate.call.wait(1ms));
  CHECK_FALSE(gate.call.returned());
  std::promise<bool> told;
  gate.call.afterwards([&] { told.set_value(gate.call.returned()); });
  gate.opened.set_value();
  CHECK(told.get_future().get());
  CHECK(gate.call.wait(1ms));
}

TEST_CASE("who asks to be told of a call that has returned is told at once") {
  const LimitedCall call([] {});
  REQUIRE(call.wait(0ms));
  bool told = false;
  call.afterwards([&] { told = true; });
  CHECK(told);
}

TEST_CASE("a call goes on when nobody holds it any more, and keeps what it uses") {
  auto used = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = used;
  std::promise<void> opened, done;
  {
    LimitedCall call([used, gate = opened.get_future().share()] { gate.wait(); });
    call.afterwards([&] { done.set_value(); });
  }
  used.reset();
  CHECK_FALSE(seen.expired());
  opened.set_value();
  done.get_future().get();
  CHECK(seen.expired());
}
