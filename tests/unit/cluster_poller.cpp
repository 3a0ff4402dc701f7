#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "cluster/ApplicationPoller.h"

using namespace hearth::host;
using State = ApplicationReport::State;
using namespace std::chrono_literals;

namespace {

/// A cluster that shows what the test puts there. Thread-safe.
class FakeManager : public ClusterManager {
 public:
  const std::string& name() const override { return name_; }
  bool findable(const ApplicationKey& key) const override {
    return !key.tag.empty() || !key.applicationId.empty();
  }
  void list(const std::vector<ApplicationKey>& keys, Listed done) override {
    std::unique_lock<std::mutex> lock(mutex_);
    ++lists_;
    keys_ = keys.size();
    std::vector<SeenApplication> seen;
    for (const auto& item : apps_) seen.push_back(item.second);
    const std::string error = error_;
    changed_.notify_all();
    lock.unlock();
    done(error, error.empty() ? seen : std::vector<SeenApplication>{});
  }
  void kill(const std::string& id, Killed done) override {
    std::unique_lock<std::mutex> lock(mutex_);
    ++kills_[id];
    if (obedient_ && apps_.count(id) != 0) apps_[id].report.state = State::killed;
    changed_.notify_all();
    lock.unlock();
    done(obedient_ ? "" : "no");
  }

  void put(const std::string& id, const std::string& tag, State state, std::int64_t started = 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    SeenApplication& seen = apps_[id];
    seen.tags = {tag};
    seen.started = started;
    seen.report.applicationId = id;
    seen.report.state = state;
  }
  void remove(const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    apps_.erase(id);
  }
  void fail(const std::string& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    error_ = error;
  }
  void disobey() { obedient_ = false; }
  int lists() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lists_;
  }
  std::size_t keys() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return keys_;
  }
  int kills(const std::string& id) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = kills_.find(id);
    return found == kills_.end() ? 0 : found->second;
  }
  /// Until so many more lists have been asked for.
  bool waitLists(int more) {
    std::unique_lock<std::mutex> lock(mutex_);
    const int wanted = lists_ + more;
    return changed_.wait_for(lock, 60s, [&] { return lists_ >= wanted; });
  }
  bool waitKills(const std::string& id, int wanted = 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, 60s, [&] { return kills_[id] >= wanted; });
  }

 private:
  const std::string name_ = "the cluster";
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, SeenApplication> apps_;
  std::map<std::string, int> kills_;
  std::string error_;
  std::atomic<bool> obedient_{true};
  int lists_ = 0;
  std::size_t keys_ = 0;
};

/// The reports of one application.
class Reports {
 public:
  ClusterFollower::Changed taker() {
    return [this](const ApplicationReport& report) {
      const std::lock_guard<std::mutex> lock(mutex_);
      all_.push_back(report);
      changed_.notify_all();
    };
  }
  bool waitState(State state) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, 60s,
                             [&] { return !all_.empty() && all_.back().state == state; });
  }
  std::vector<ApplicationReport> all() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ApplicationReport> all_;
};

PollTimes quick() {
  PollTimes times;
  times.poll = 5ms;
  times.pollAfterErrors = 10ms;
  times.lookup = 50ms;
  times.leak = 60s;
  return times;
}

struct Bench {
  explicit Bench(PollTimes times = quick()) {
    poller = std::make_shared<ApplicationPoller>(loop.strand(), manager, times);
  }
  std::unique_ptr<FollowedApplication> follow(const std::string& tag, const std::string& id = {}) {
    return poller->follow({tag, id}, loop.strand(), reports.taker());
  }
  /// Whether nothing is asked for a while any more.
  bool quiet() {
    for (int round = 0; round < 300; ++round) {
      const int before = manager->lists();
      std::this_thread::sleep_for(50ms);
      if (manager->lists() == before) return true;
    }
    return false;
  }

  EventLoop loop{"test", 2};
  std::shared_ptr<FakeManager> manager = std::make_shared<FakeManager>();
  std::shared_ptr<ApplicationPoller> poller;
  Reports reports;
};

}  // namespace

TEST_CASE("an application's states are told as they change, the last one once", "[cluster]") {
  Bench bench;
  CHECK(bench.quiet());
  CHECK(bench.manager->lists() == 0);
  bench.manager->put("a1", "tag", State::starting);
  const auto followed = bench.follow("tag");
  REQUIRE(bench.reports.waitState(State::starting));
  REQUIRE(bench.manager->waitLists(3));
  bench.manager->put("a1", "tag", State::running);
  REQUIRE(bench.reports.waitState(State::running));
  bench.manager->put("a1", "tag", State::finished);
  REQUIRE(bench.reports.waitState(State::finished));
  CHECK(bench.reports.all().size() == 3);
  CHECK(bench.reports.all().back().applicationId == "a1");
  CHECK(bench.quiet());
}

TEST_CASE("many applications share each list", "[cluster]") {
  PollTimes times = quick();
  times.poll = 200ms;
  Bench bench(times);
  std::vector<std::unique_ptr<FollowedApplication>> all;
  for (int i = 0; i < 200; ++i) all.push_back(bench.follow("tag-" + std::to_string(i)));
  REQUIRE(bench.manager->waitLists(1));
  REQUIRE(bench.manager->waitLists(1));
  CHECK(bench.manager->keys() == 200);
  CHECK(bench.manager->lists() < 20);
  all.clear();
  CHECK(bench.quiet());
}

TEST_CASE("an application whose follower has gone is let alone and not asked for", "[cluster]") {
  Bench bench;
  bench.manager->put("a1", "tag", State::running);
  auto followed = bench.follow("tag");
  REQUIRE(bench.reports.waitState(State::running));
  followed.reset();
  CHECK(bench.quiet());
  CHECK(bench.manager->kills("a1") == 0);
}

TEST_CASE("one that was submitted and never seen has failed, and is ended should it come after all",
          "[cluster]") {
  Bench bench;
  const auto followed = bench.follow("tag");
  REQUIRE(bench.manager->waitLists(30));
  CHECK(bench.reports.all().empty());  // nobody has said yet that it was submitted
  followed->submitted();
  REQUIRE(bench.reports.waitState(State::failed));
  CHECK(bench.reports.all().back().diagnostics.find("no application with the tag tag") !=
        std::string::npos);
  bench.manager->put("late", "tag", State::running);
  CHECK(bench.manager->waitKills("late"));
  CHECK(bench.quiet());
  CHECK(bench.reports.all().size() == 1);
}

TEST_CASE("one that the cluster forgets has failed", "[cluster]") {
  Bench bench;
  bench.manager->put("a1", "tag", State::running);
  const auto followed = bench.follow("tag");
  REQUIRE(bench.reports.waitState(State::running));
  bench.manager->remove("a1");
  REQUIRE(bench.reports.waitState(State::failed));
  CHECK(bench.reports.all().back().applicationId == "a1");
}

TEST_CASE("a manager that does not answer changes nothing, however long", "[cluster]") {
  Bench bench;
  bench.manager->put("a1", "tag", State::running);
  const auto followed = bench.follow("tag");
  followed->submitted();
  REQUIRE(bench.reports.waitState(State::running));
  bench.manager->fail("broken");
  REQUIRE(bench.manager->waitLists(30));
  CHECK(bench.reports.all().size() == 1);
  bench.manager->fail("");
  bench.manager->put("a1", "tag", State::failed);
  REQUIRE(bench.reports.waitState(State::failed));
}

TEST_CASE("an application is ended, also after who wanted it has gone", "[cluster]") {
  Bench bench;
  bench.manager->put("a1", "tag", State::running);
  bench.manager->put("a2", "tag", State::running, 1);
  bench.manager->put("b1", "other", State::running);
  auto followed = bench.follow("tag");
  REQUIRE(bench.reports.waitState(State::running));
  followed->kill();
  SECTION("and its end is told to who stays") {
    REQUIRE(bench.reports.waitState(State::killed));
  }
  SECTION("and nobody listens") {
    followed.reset();
  }
  CHECK(bench.manager->waitKills("a1"));
  CHECK(bench.manager->waitKills("a2"));  // a second submission with the same tag
  CHECK(bench.quiet());
  CHECK(bench.manager->kills("b1") == 0);
}

TEST_CASE("one that is to end before it is seen ends when it comes", "[cluster]") {
  Bench bench;
  auto followed = bench.follow("tag");
  followed->kill();
  SECTION("its submission is over: it has ended, as far as anybody knows") {
    REQUIRE(bench.manager->waitLists(5));
    CHECK(bench.reports.all().empty());
    followed->submitted();
    REQUIRE(bench.reports.waitState(State::killed));
  }
  SECTION("nobody waits for it") {
    followed.reset();
  }
  REQUIRE(bench.manager->waitLists(5));
  bench.manager->put("a1", "tag", State::starting);
  CHECK(bench.manager->waitKills("a1"));
  CHECK(bench.quiet());
}

TEST_CASE("who refuses to end an application is asked again, and not for ever", "[cluster]") {
  PollTimes times = quick();
  times.leak = 300ms;
  Bench bench(times);
  bench.manager->disobey();
  bench.manager->put("a1", "tag", State::running);
  auto followed = bench.follow("tag");
  followed->kill();
  CHECK(bench.manager->waitKills("a1", 3));
  followed.reset();
  CHECK(bench.quiet());
}

TEST_CASE("what nobody can be asked about is not kept for ever", "[cluster]") {
  PollTimes times = quick();
  times.leak = 20ms;
  Bench bench(times);
  bench.manager->fail("gone for good");
  auto followed = bench.follow("tag");
  followed->kill();
  followed.reset();
  CHECK(bench.quiet());
}

TEST_CASE("an id that is learned later is enough", "[cluster]") {
  Bench bench;
  bench.manager->put("driver-1", "", State::running);
  const auto followed = bench.follow("");
  // It is kept, and nobody is asked: nothing could be found.
  CHECK(bench.quiet());
  CHECK(bench.manager->lists() == 0);
  followed->know({"", "driver-1"});
  REQUIRE(bench.reports.waitState(State::running));
}
