#include <catch2/catch.hpp>
#include <string>

#include "plugin/EventInbox.h"
#include "support/RateLimit.h"

using namespace hearth::host;

namespace {

using Kind = PluginEvent::Kind;
using Put = EventInbox::Put;

PluginEvent event(Kind kind, std::uint64_t statement, std::string text = {}) {
  PluginEvent made;
  made.kind = kind;
  made.statement = statement;
  made.number = 1;
  made.text = std::move(text);
  return made;
}

constexpr EventInbox::Bounds small{64 * 1024, 100};

}  // namespace

TEST_CASE("Events are taken in the order in which they were told") {
  EventInbox inbox(small);
  CHECK(inbox.put(event(Kind::output, 1, "a")) == Put::queued);
  CHECK(inbox.put(event(Kind::output, 1, "b")) == Put::joined);
  CHECK(inbox.put(event(Kind::display, 1, "{}")) == Put::queued);
  CHECK(inbox.put(event(Kind::output, 1, "c")) == Put::queued);
  CHECK(inbox.put(event(Kind::done, 1, "{}")) == Put::queued);
  CHECK(inbox.take()->text == "ab");
  CHECK(inbox.take()->kind == Kind::display);
  CHECK(inbox.take()->text == "c");
  CHECK(inbox.take()->kind == Kind::done);
  CHECK_FALSE(inbox.take());
  CHECK(inbox.bytes() == 0);
}

TEST_CASE("Output of another stream, statement or frame stays apart") {
  EventInbox inbox(small);
  inbox.put(event(Kind::output, 1, "a"));
  PluginEvent other = event(Kind::output, 1, "b");
  other.number = 2;
  CHECK(inbox.put(std::move(other)) == Put::queued);
  CHECK(inbox.put(event(Kind::output, 2, "c")) == Put::queued);
  PluginEvent framed = event(Kind::output, 2, "d");
  framed.frame = 7;
  CHECK(inbox.put(std::move(framed)) == Put::queued);
}

TEST_CASE("What a flood loses is counted to the byte at its place, before the statement's end") {
  EventInbox inbox(small);
  const std::string block(1000, 'x');
  for (int i = 0; i < 1000; ++i) inbox.put(event(Kind::output, 1, block));
  CHECK(inbox.bytes() <= small.bytes + 4096);
  CHECK(inbox.put(event(Kind::done, 1, "{}")) == Put::queued);
  std::size_t had = 0, lost = 0;
  bool ended = false;
  while (const auto taken = inbox.take()) {
    CHECK_FALSE(ended);
    had += taken->kind == Kind::output ? taken->text.size() : 0;
    lost += taken->lost;
    ended = taken->kind == Kind::done;
  }
  CHECK(ended);
  CHECK(lost > 0);
  CHECK(had + lost == 1000 * 1000);
}

TEST_CASE("A piece of output that is larger than the bound gets through where nothing waits") {
  EventInbox inbox(small);
  CHECK(inbox.put(event(Kind::output, 1, std::string(small.bytes * 3, 'x'))) == Put::queued);
  CHECK(inbox.take()->text.size() == small.bytes * 3);
}

TEST_CASE("Progress, and what is to be saved, takes one place however often it is said") {
  EventInbox inbox(small);
  for (int i = 0; i < 1000; ++i) {
    PluginEvent progress = event(Kind::progress, 1);
    progress.fraction = i / 1000.0;
    inbox.put(std::move(progress));
    PluginEvent save = event(Kind::save, 0, std::to_string(i));
    inbox.put(std::move(save));
  }
  CHECK(inbox.take()->fraction == Approx(0.999));
  CHECK(inbox.take()->text == "999");
  CHECK_FALSE(inbox.take());
}

TEST_CASE("A flood of displays keeps the numbers of those behind it right") {
  EventInbox inbox(small);
  for (int i = 0; i < 200; ++i)
    CHECK(inbox.put(event(Kind::display, 1, "{\"text/plain\":\"" + std::to_string(i) + "\"}")) ==
          Put::queued);
}

TEST_CASE("The last state gets through a flood of states") {
  EventInbox inbox(small);
  for (int i = 0; i < 10000; ++i) {
    PluginEvent state = event(Kind::state, 0);
    state.number = i;
    CHECK(inbox.put(std::move(state)) != Put::dropped);
  }
  int last = 0;
  std::size_t count = 0;
  while (const auto taken = inbox.take()) {
    last = taken->number;
    ++count;
  }
  CHECK(last == 9999);
  CHECK(count <= small.events);
}

TEST_CASE("A flood of ends that nobody waits for is bounded") {
  EventInbox inbox(small);
  for (std::uint64_t i = 0; i < 100000; ++i) inbox.put(event(Kind::done, i, "{}"));
  std::size_t count = 0;
  while (inbox.take()) ++count;
  CHECK(count <= small.events);
}

TEST_CASE("The end that is waited for gets through a flood of others, once") {
  EventInbox inbox(small);
  inbox.expect(Kind::done, 7);
  for (std::uint64_t i = 100; i < 1000; ++i) inbox.put(event(Kind::done, i, "{}"));
  CHECK(inbox.put(event(Kind::done, 7, "{}")) == Put::queued);
  CHECK(inbox.put(event(Kind::done, 7, "{}")) == Put::dropped);
}

TEST_CASE("A rate limit lets a burst through, then its rate, and tells what it has held back") {
  RateLimit limit(3, 10);
  const auto start = RateLimit::Clock::now();
  std::uint64_t missed = 0;
  for (int i = 0; i < 3; ++i) CHECK(limit.pass(missed, start));
  for (int i = 0; i < 5; ++i) CHECK_FALSE(limit.pass(missed, start));
  CHECK(limit.pass(missed, start + std::chrono::milliseconds(150)));
  CHECK(missed == 5);
  CHECK_FALSE(limit.pass(missed, start + std::chrono::milliseconds(150)));
}
