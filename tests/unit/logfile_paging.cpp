#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "process/LogFile.h"
#include "support/Utf8.h"
#include "temp_folder.h"

using namespace hearth::host;
using hearth::test::TempFolder;

namespace {

void add(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app | std::ios::binary) << text;
}

std::string numbered(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

}  // namespace

TEST_CASE("a log that is not there yet has no lines, and then has", "[logfile]") {
  const TempFolder folder;
  LogFile log(folder / "log");
  CHECK(log.read(0, 10).total == 0);
  CHECK(log.read(-1, -1).lines.empty());
  add(log.path(), "one\ntwo\r\nunfinished");
  auto page = log.read(0, 10);
  CHECK(page.total == 3);
  CHECK(page.lines == std::vector<std::string>{"one", "two", "unfinished"});
  add(log.path(), " no more\n\n");
  page = log.read(2, 10);
  CHECK(page.from == 2);
  CHECK(page.total == 4);
  CHECK(page.lines == std::vector<std::string>{"unfinished no more", ""});
}

TEST_CASE("any page of a long log is the right one, while it grows", "[logfile]") {
  const TempFolder folder;
  LogFile log(folder / "log");
  int total = 0;
  for (const int more : {1, 254, 1, 1, 700, 5000, 43}) {
    add(log.path(), numbered(total, total + more));
    total += more;
    for (const int from : {0, 1, 255, 256, 257, 511, 512, total - 1, total, total + 7}) {
      const auto page = log.read(from, 3);
      REQUIRE(page.total == total);
      const int begin = std::min(from, total);
      REQUIRE(page.from == begin);
      REQUIRE(static_cast<int>(page.lines.size()) == std::min(3, total - begin));
      for (std::size_t i = 0; i < page.lines.size(); ++i)
        REQUIRE(page.lines[i] == "line " + std::to_string(begin + static_cast<int>(i)));
    }
    const auto last = log.read(-1, 2);
    REQUIRE(last.lines.back() == "line " + std::to_string(total - 1));
    REQUIRE(last.from == std::max(0, total - 2));
  }
  CHECK(log.read(0, -1).lines.size() == 6000);
  CHECK(log.read(-1, -1).from == 0);
  CHECK(log.read(0, -1, 10).lines.size() == 10);
  CHECK(log.read(-1, -1, 10).lines.front() == "line 5990");
  CHECK(log.read(0, 0).lines.empty());
}

TEST_CASE("a log that is truncated or replaced is read anew", "[logfile]") {
  const TempFolder folder;
  LogFile log(folder / "log");
  add(log.path(), numbered(0, 1000));
  REQUIRE(log.read(999, 1).lines == std::vector<std::string>{"line 999"});
  SECTION("truncated") {
    REQUIRE(::truncate(log.path().c_str(), 0) == 0);
    CHECK(log.read(0, 10).total == 0);
    add(log.path(), "new\n");
  }
  SECTION("replaced by another file") {
    add(folder / "other", "new\n" + numbered(0, 5000));
    std::filesystem::rename(folder / "other", log.path());
  }
  SECTION("written anew, longer than before, between two reads") {
    std::ofstream(log.path(), std::ios::trunc) << "new\n" << numbered(0, 5000);
  }
  SECTION("removed") {
    std::filesystem::remove(log.path());
    CHECK(log.read(0, 10).total == 0);
    add(log.path(), "new\n");
  }
  CHECK(log.read(0, 1).lines == std::vector<std::string>{"new"});
}

TEST_CASE("long lines are cut and bytes that are no text are repaired", "[logfile]") {
  const TempFolder folder;
  LogFile log(folder / "log");
  add(log.path(), std::string(65535, 'x') + "\xC3\xA4 goes on\n" + std::string(300000, 'y') + "\n" +
                      "a\xFFz\nend");
  const auto page = log.read(0, 10);
  REQUIRE(page.total == 4);
  REQUIRE(page.lines.size() == 4);
  CHECK(page.lines[0] == std::string(65535, 'x'));
  CHECK(page.lines[1] == std::string(65536, 'y'));
  CHECK(page.lines[2] == "a\xEF\xBF\xBDz");
  CHECK(page.lines[3] == "end");
}

TEST_CASE("a page of huge lines stays within bounds and keeps the end asked for", "[logfile]") {
  const TempFolder folder;
  LogFile log(folder / "log");
  {
    std::ofstream stream(log.path(), std::ios::binary);
    const std::string line(65536, 'x');
    for (int i = 0; i < 1500; ++i) stream << line << '\n';
    stream << "newest\n";
  }
  const auto first = log.read(0, -1);
  CHECK(first.from == 0);
  CHECK(first.total == 1501);
  CHECK(first.lines.size() < 1100);
  const auto last = log.read(-1, -1);
  CHECK(last.lines.size() < 1100);
  CHECK(last.lines.back() == "newest");
  CHECK(last.from + static_cast<std::int64_t>(last.lines.size()) == last.total);
}

TEST_CASE("remarks of the host do not mix with each other, nor make two lines of one",
          "[logfile]") {
  const TempFolder folder;
  LogFile log(folder / "log");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        log.append(std::string(100, static_cast<char>('a' + t)) + "\nx");
        log.read(-1, 5);
      }
    });
  for (std::thread& thread : threads) thread.join();
  const auto page = log.read(0, -1);
  REQUIRE(page.total == 800);
  std::multiset<std::string> lines(page.lines.begin(), page.lines.end());
  for (int t = 0; t < 4; ++t)
    CHECK(lines.count(std::string(100, static_cast<char>('a' + t)) + " x") == 200);
  struct stat status {};
  REQUIRE(::stat(log.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  LogFile nowhere(folder / "no/log");
  nowhere.append("lost, but no exception");
}
