#include <hearth/plugin.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "session/StatementOutput.h"

using hearth::host::StatementOutput;
using hearth::host::StatementRow;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("hearth-output-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

// Everything there is from a position on, as "o:text", "e:text", "d:bundle".
std::vector<std::string> all(const StatementOutput& output, StatementOutput::Position& at,
                             std::size_t most = 1 << 20) {
  std::vector<std::string> pieces;
  while (const auto piece = output.next(at, most)) {
    const char* kind = piece->isDisplay ? "d:" : piece->stream == HEARTH_STDERR ? "e:" : "o:";
    pieces.push_back(kind + piece->text);
  }
  return pieces;
}

}  // namespace

TEST_CASE("followers get output in the order in which it came, each byte once") {
  const Folder folder;
  StatementOutput output(folder.path, 0, 1024);
  output.append(HEARTH_STDOUT, "a");
  output.append(HEARTH_STDERR, "b");
  output.display("{}");
  output.append(HEARTH_STDOUT, "c");
  StatementOutput::Position at;
  CHECK(all(output, at) == std::vector<std::string>{"o:a", "e:b", "d:{}", "o:c"});
  output.append(HEARTH_STDOUT, "d");  // grows the last piece
  CHECK(all(output, at) == std::vector<std::string>{"o:d"});
  auto resumed = StatementOutput::Position::parse(at.text());
  REQUIRE(resumed);
  output.append(HEARTH_STDERR, "e");
  CHECK(all(output, *resumed) == std::vector<std::string>{"e:e"});
}

TEST_CASE("a display that changes is kept as it is last, and followers are told") {
  const Folder folder;
  StatementOutput output(folder.path, 1, 1024);
  output.display("[0]");
  output.display("[1]");
  StatementOutput::Position late, live;
  CHECK(all(output, live).size() == 2);
  output.changeDisplay(0, "[2]");
  output.changeDisplay(0, "[3]");
  output.changeDisplay(7, "[4]");
  const auto overtaken = output.next(live, 1);
  REQUIRE(overtaken);
  CHECK(overtaken->text.empty());
  const auto change = output.next(live, 1);
  REQUIRE(change);
  CHECK(change->isChange);
  CHECK(change->index == 0);
  CHECK(change->text == "[3]");
  CHECK_FALSE(output.next(live, 1));
  CHECK(all(output, late) == std::vector<std::string>{"d:[0]", "d:[1]", "d:", "d:[3]"});
  CHECK(output.displays() == "[3],[1]");
  output.changeDisplay(0, "{}");
  CHECK(output.displays() == "[1]");
}

TEST_CASE("a display that changes without end costs a bounded memory") {
  const Folder folder;
  StatementOutput output(folder.path, 2, 1024);
  output.display("[]");
  const std::string large(1000, 'x');
  for (int i = 0; i < 150000; ++i) output.changeDisplay(0, "\"" + large + std::to_string(i) + "\"");
  CHECK(output.displays() == "\"" + large + "149999\"");
  StatementOutput::Position at;
  std::size_t kept = 0;
  while (const auto piece = output.next(at, 1)) kept += piece->text.size();
  CHECK(kept < 3000);
  CHECK(output.head(HEARTH_STDERR).empty());
}

TEST_CASE("output of any size costs a bounded memory and reads back whole") {
  const Folder folder;
  StatementOutput output(folder.path, 7, 1000);
  std::string whole;
  for (int i = 0; i < 5000; ++i) {
    const std::string line = "zeile " + std::to_string(i) + " \xc3\xa4\xe2\x82\xac\n";
    whole += line;
    output.append(HEARTH_STDOUT, line);
  }
  CHECK(output.head(HEARTH_STDOUT).size() < 1100);
  CHECK(whole.compare(0, 900, output.head(HEARTH_STDOUT), 0, 900) == 0);
  std::string read;
  for (std::uint64_t from = 0; from < whole.size();) {
    const auto page = output.read(HEARTH_STDOUT, from, 777);
    REQUIRE(page.from == from);
    REQUIRE(page.total == whole.size());
    REQUIRE_FALSE(page.text.empty());
    read += page.text;
    from = page.from + page.text.size();
  }
  CHECK(read == whole);
  StatementOutput::Position at;
  std::string followed;
  for (const std::string& piece : all(output, at, 100)) followed += piece.substr(2);
  CHECK(followed == whole);

  StatementRow row;
  row.id = 7;
  row.out = output.head(HEARTH_STDOUT);
  row.displays = "{\"a\":1},{\"b\":2}";
  const StatementOutput stored(folder.path, row);
  CHECK(stored.closed());
  CHECK(stored.read(HEARTH_STDOUT, 0, 1 << 20).text == whole);
  StatementOutput::Position start;
  CHECK(all(stored, start).back() == "d:{\"b\":2}");
}

TEST_CASE("who is far behind in output that changes stream all the time loses nothing") {
  const Folder folder;
  StatementOutput output(folder.path, 0, 1 << 20);
  std::string out, err;
  for (int i = 0; i < 40000; ++i) {
    output.append(HEARTH_STDOUT, "o");
    output.append(HEARTH_STDERR, "e");
  }
  StatementOutput::Position at;
  std::size_t sizes[2] = {0, 0};
  for (const std::string& piece : all(output, at)) sizes[piece[0] == 'e'] += piece.size() - 2;
  CHECK(sizes[0] == 40000);
  CHECK(sizes[1] == 40000);
}

TEST_CASE("a disk that refuses output costs that output, not the statement") {
  const Folder folder;
  fs::create_directory(folder.path / "3.stdout");  // cannot be opened as a file
  StatementOutput output(folder.path, 3, 10);
  output.append(HEARTH_STDOUT, "12345");
  output.append(HEARTH_STDOUT, "does not fit into memory");
  output.append(HEARTH_STDERR, "fits");
  CHECK(output.read(HEARTH_STDOUT, 0, 100).text == "12345");
  CHECK(output.read(HEARTH_STDERR, 0, 100).text == "fits");
}

TEST_CASE("displays beyond their bound are dropped with a word") {
  const Folder folder;
  StatementOutput output(folder.path, 0, 1 << 20);
  const std::string large = "{\"image/png\":\"" + std::string(20u << 20, 'A') + "\"}";
  output.display(large);
  output.display(large);
  CHECK(output.displays() == large);
  CHECK_THAT(output.head(HEARTH_STDERR), Catch::Contains("dropped"));
}

TEST_CASE("no change is missed between looking and waiting") {
  const Folder folder;
  StatementOutput output(folder.path, 0, 1 << 20);
  constexpr int count = 2000;
  std::thread writer([&] {
    for (int i = 0; i < count; ++i) output.append(HEARTH_STDOUT, "x");
    output.close();
  });
  std::string read;
  StatementOutput::Position at;
  for (bool closed = false; !closed;) {
    const std::uint64_t seen = output.version();
    closed = output.closed();
    while (const auto piece = output.next(at, 100)) read += piece->text;
    if (closed) break;
    std::atomic<bool> woken{false};
    output.wait(seen, [&] { woken = true; });
    while (!woken) std::this_thread::yield();
  }
  writer.join();
  CHECK(read.size() == count);
}

TEST_CASE("positions of other servers are told from ours") {
  for (const char* text : {"", "1", "1-2", "1-2-", "1-2-3-", "a-b-c", "-1-2-3", " 1-2-3"}) {
    INFO(text);
    CHECK_FALSE(StatementOutput::Position::parse(text));
  }
  CHECK(StatementOutput::Position::parse("1-2-3")->text() == "1-2-3");
}

TEST_CASE("what a statement has printed is there after the host was killed, and comes once") {
  const Folder folder;
  const std::string path = folder.path / "output";
  StatementOutput::Position at;
  {
    StatementOutput output(path, 3, 4);
    output.keep();
    output.append(HEARTH_STDOUT, "one ", 11);
    output.display("[0]", 12);
    output.append(HEARTH_STDERR, "two", 13);
    output.changeDisplay(0, "[1]", 14);
    output.append(HEARTH_STDOUT, "outgrows its memory", 15);
    CHECK(output.next(at, 4)->text == "one ");
  }
  {
    // Cut off in the middle of a record.
    std::ofstream file(path + "/3.journal", std::ios::binary | std::ios::app);
    file << "half a head";
  }
  {
    StatementOutput output(path, 3, 4);
    output.keep();
    output.append(HEARTH_STDOUT, "outgrows its memory", 15);  // the driver repeats it
    output.append(HEARTH_STDOUT, "!", 16);
    output.append(HEARTH_STDOUT, "?", 0);
    CHECK(all(output, at) ==
          std::vector<std::string>{"d:[0]", "e:two", "d:[1]", "o:outgrows its memory!?"});
    CHECK(output.displays() == "[1]");
  }
  StatementOutput output(path, 3, 4);
  output.keep();
  CHECK(output.read(HEARTH_STDOUT, 0, 100).text == "one outgrows its memory!?");
  output.letGo();
  CHECK_FALSE(fs::exists(path + "/3.journal"));
}
