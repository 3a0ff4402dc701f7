#include <catch2/catch.hpp>
#include <string>

#include "session/SessionJournal.h"

using hearth::host::SessionJournal;

TEST_CASE("a follower of a session gets each change once, in order") {
  SessionJournal journal;
  CHECK_FALSE(journal.next(0));
  journal.add("state", "1");
  journal.add("statement", "2");
  auto first = journal.next(0);
  REQUIRE(first);
  CHECK(first->number == 1);
  CHECK(std::string(first->name) == "state");
  CHECK(journal.next(1)->json == "2");
  CHECK_FALSE(journal.next(2));
  CHECK_FALSE(journal.next(1000));
}

TEST_CASE("a session of any age keeps a bounded number of changes") {
  SessionJournal journal;
  for (int n = 1; n <= 1000; ++n) journal.add("statement", std::to_string(n));
  const auto oldest = journal.next(0);
  REQUIRE(oldest);
  CHECK(oldest->number == 1000 - SessionJournal::kept + 1);
  CHECK(oldest->json == std::to_string(oldest->number));
  CHECK(journal.next(998)->json == "999");
  CHECK(journal.last() == 1000);
}

TEST_CASE("who waits for a session is woken once by the next change and by its end") {
  SessionJournal journal;
  int woken = 0;
  const auto wait = [&] { journal.wait(journal.version(), [&] { ++woken; }); };
  wait();
  CHECK(woken == 0);
  journal.add("state", "1");
  journal.add("state", "2");
  CHECK(woken == 1);
  wait();
  journal.touch();
  CHECK(woken == 2);
  wait();
  journal.close();
  CHECK(woken == 3);
  CHECK(journal.closed());
  journal.wait(0, [&] { ++woken; });  // there were changes since
  CHECK(woken == 4);
  journal.add("state", "late");
  CHECK(journal.last() == 2);
}
