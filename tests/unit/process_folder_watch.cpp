#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "process/FolderWatch.h"
#include "temp_folder.h"

using hearth::host::EventLoop;
using hearth::host::FolderWatch;
using hearth::test::TempFolder;

namespace {

class Counter {
 public:
  void count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool reaches(int wanted) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ >= wanted; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

void append(const std::string& path) {
  std::ofstream(path, std::ios::app) << "line\n";
}

}  // namespace

TEST_CASE("who follows a log is told when it is made and whenever it grows") {
  TempFolder folder;
  EventLoop loop("watch", 1);
  FolderWatch watches(loop);
  Counter changes;
  const auto watch = watches.watch(folder.path(), [&] { changes.count(); });
  REQUIRE(watch);
  append(folder.path() + "/log");
  REQUIRE(changes.reaches(1));
  append(folder.path() + "/log");
  CHECK(changes.reaches(2));
  loop.stop();
}

TEST_CASE("a folder can be followed again when the first follower has gone, and by a second one") {
  TempFolder folder;
  EventLoop loop("watch", 1);
  FolderWatch watches(loop);
  auto first = watches.watch(folder.path(), [] {});
  Counter changes;
  const auto second = watches.watch(folder.path(), [&] { changes.count(); });
  first.reset();  // must not take the second one's watch along
  append(folder.path() + "/log");
  CHECK(changes.reaches(1));
  CHECK_FALSE(watches.watch(folder.path() + "/none", [] {}));
  loop.stop();
}
