#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "plugin/CallWatch.h"

using namespace hearth::host;
using namespace std::chrono_literals;

namespace {

/// Calls on a loop that last until they are let go.
struct Scene {
  EventLoop loop{"test", 2};
  CallWatch watch;
  std::promise<void> gate;
  std::shared_future<void> open{gate.get_future()};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> told;
  const CallWatch::Told listener = [this](const std::string& why) {
    const std::lock_guard<std::mutex> lock(mutex);
    told.push_back(why);
    changed.notify_all();
  };

  explicit Scene(CallWatch::Options options) : watch(loop, options) {}

  std::future<void> call() {
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    EventLoop::post(loop.strand(), [this, done] {
      PluginCall about;
      about.instance = "bad";
      about.slot = "execute";
      about.session = "7";
      {
        const CallWatch::Running running(&watch, about, &listener);
        open.wait();
      }
      done->set_value();
    });
    return future;
  }
  bool wait(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex);
    return changed.wait_for(lock, 30s, [&] { return told.size() >= count; });
  }
};

}  // namespace

TEST_CASE("Other work goes on while more calls hang than the loop has threads") {
  Scene scene({20ms, 60s, 100});
  std::vector<std::future<void>> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(scene.call());
  std::promise<void> ran;
  EventLoop::post(scene.loop.strand(), [&] { ran.set_value(); });
  CHECK(ran.get_future().wait_for(30s) == std::future_status::ready);
  scene.gate.set_value();
  for (auto& call : calls) CHECK(call.wait_for(30s) == std::future_status::ready);
  scene.loop.stop();
}

TEST_CASE("A call that hangs is told while it runs, and again when it has returned") {
  Scene scene({10ms, 50ms, 1});
  auto call = scene.call();
  REQUIRE(scene.wait(1));
  CHECK(scene.told[0] == "plugin bad does not return from execute, session 7");
  CHECK(scene.watch.hanging().size() == 1);
  CHECK_FALSE(scene.watch.refusal("bad").empty());
  CHECK(scene.watch.refusal("good").empty());
  scene.gate.set_value();
  REQUIRE(call.wait_for(30s) == std::future_status::ready);
  REQUIRE(scene.wait(2));
  CHECK(scene.told.back().empty());
  CHECK(scene.watch.hanging().empty());
  CHECK(scene.watch.refusal("bad").empty());
  scene.loop.stop();
}

TEST_CASE("A loop whose handler does not return can be told to stop, and says so") {
  Scene scene({10ms, 50ms, 1});
  auto call = scene.call();
  REQUIRE(scene.wait(1));
  CHECK_FALSE(scene.loop.stop(100ms));
  scene.gate.set_value();
  CHECK(scene.loop.stop(30s));
}
