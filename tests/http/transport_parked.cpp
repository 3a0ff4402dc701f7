// Requests that wait for their answer: they cost no thread and notice when the client leaves.
#include <dirent.h>
#include <time.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "http/transport_support.h"

using namespace hearth;
using namespace hearth::test;

namespace {

using Clock = std::chrono::steady_clock;

std::size_t threadCount() {
  std::size_t count = 0;
  DIR* const tasks = ::opendir("/proc/self/task");
  if (!tasks) return 0;
  while (const dirent* entry = ::readdir(tasks))
    if (entry->d_name[0] != '.') ++count;
  ::closedir(tasks);
  return count;
}

std::chrono::nanoseconds cpuTime() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

TEST_CASE("2,000 waiting requests take no threads, and others are served meanwhile") {
  TestServer server(host::HttpLimits(), nullptr, 4);
  std::vector<Client> waiting;
  for (int i = 0; i < 2000; ++i) {
    waiting.push_back(server.client());
    REQUIRE(waiting.back().send(get("/hold?i=" + std::to_string(i))));
  }
  REQUIRE(eventually([&] { return server.shelf.size() == 2000; }));
  CHECK(threadCount() > 0);
  CHECK(threadCount() < 64);
  CHECK(server.server->openConnections() == 2000);

  Client other = server.client();
  std::vector<Clock::duration> times;
  for (int i = 0; i < 500; ++i) {
    const auto begin = Clock::now();
    REQUIRE(other.exchange(get("/other")).status == 200);
    times.push_back(Clock::now() - begin);
  }
  std::sort(times.begin(), times.end());
  CHECK(times[times.size() / 2] < 20ms);

  for (const host::ExchangePtr& exchange : server.shelf.takeAll())
    exchange->send(text(200, exchange->request().parameter("i").value_or("?")));
  for (int i = 0; i < 2000; ++i) {
    const Reply reply = waiting[static_cast<std::size_t>(i)].read();
    REQUIRE(reply.status == 200);
    REQUIRE(reply.body == std::to_string(i));
  }
}

TEST_CASE("a client that hangs up while it waits is noticed, and its connection is freed") {
  TestServer server;
  Client closing = server.client();
  Client resetting = server.client();
  REQUIRE(closing.send(get("/hold")));
  const host::ExchangePtr first = server.shelf.take();
  REQUIRE(resetting.send(get("/hold")));
  const host::ExchangePtr second = server.shelf.take();
  REQUIRE((first && second));
  CHECK_FALSE(first->abandoned());
  CHECK_FALSE(second->abandoned());
  closing.close();
  CHECK(eventually([&] { return first->abandoned(); }, 5s));
  CHECK_FALSE(second->abandoned());
  resetting.reset();
  CHECK(eventually([&] { return second->abandoned(); }, 5s));
  CHECK(server.becomesEmpty(5s));
  first->send(text(200, "to nobody"));
  CHECK(server.once(get("/")).status == 200);
}

TEST_CASE("hundreds of abandoned clients are freed while their exchanges are still held") {
  TestServer server;
  {
    std::vector<Client> clients;
    for (int i = 0; i < 300; ++i) {
      clients.push_back(server.client());
      REQUIRE(clients.back().send(get("/hold")));
    }
    REQUIRE(eventually([&] { return server.shelf.size() == 300; }));
  }
  CHECK(server.becomesEmpty(5s));
  for (const host::ExchangePtr& exchange : server.shelf.takeAll()) CHECK(exchange->abandoned());
}

TEST_CASE("a client that sends its next request while it waits costs no processor time") {
  TestServer server;
  Client client = server.client();
  REQUIRE(client.send(get("/hold") + get("/next1")));
  const host::ExchangePtr held = server.shelf.take();
  REQUIRE(held);
  REQUIRE(client.send(get("/next2") + get("/next3")));
  const auto before = cpuTime();
  CHECK(client.available(500ms).empty());
  CHECK(cpuTime() - before < 150ms);
  CHECK_FALSE(held->abandoned());
  held->send(text(200, "first"));
  CHECK(client.read().body == "first");
  CHECK(client.read().body == "GET /next1\n");
  CHECK(client.read().body == "GET /next2\n");
  CHECK(client.read().body == "GET /next3\n");

  // Its leaving is noticed as well, although unread bytes are in front of it.
  REQUIRE(client.send(get("/hold")));
  const host::ExchangePtr again = server.shelf.take();
  REQUIRE(again);
  REQUIRE(client.send(get("/next")));
  CHECK_FALSE(client.closedByServer(100ms));
  client.close();
  CHECK(eventually([&] { return again->abandoned(); }, 5s));
  CHECK(server.becomesEmpty(5s));
}

TEST_CASE("pipelined requests are answered in order, also when one of them waits") {
  TestServer server;
  Client client = server.client();
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    const std::string path = '/' + std::to_string(i);
    all += i % 3 ? get(path) : post(path, std::to_string(i));
    if (i == 500) all += get("/hold");
  }
  std::thread answerer([&] {
    const host::ExchangePtr held = server.shelf.take();
    if (held) held->send(text(200, "held"));
  });
  REQUIRE(client.send(all));
  bool inOrder = true;
  for (int i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i);
    const std::string expected =
        i % 3 ? "GET /" + number + '\n' : "POST /" + number + '\n' + number;
    inOrder = inOrder && client.read().body == expected;
    if (i == 500) inOrder = inOrder && client.read().body == "held";
  }
  answerer.join();
  CHECK(inOrder);
}

TEST_CASE("answers may come from any thread, and only the first one counts") {
  TestServer server;
  for (int round = 0; round < 100; ++round) {
    Client client = server.client();
    REQUIRE(client.send(get("/hold")));
    host::ExchangePtr held = server.shelf.take();
    REQUIRE(held);
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([held, i] { held->send(text(200, "answer " + std::to_string(i))); });
    held.reset();
    for (std::thread& thread : threads) thread.join();
    CHECK(client.read().body.rfind("answer ", 0) == 0);
    CHECK(client.exchange(get("/after")).body == "GET /after\n");
  }
}

TEST_CASE("a request dropped without an answer gets 500, on whatever thread it is dropped") {
  TestServer server(host::HttpLimits(), [](const host::ExchangePtr&) {});
  Client client = server.client();
  const Reply inside = client.exchange(get("/lost"));
  CHECK(inside.status == 500);
  CHECK(inside.body == "{\"path\":\"/lost\",\"msg\":\"internal error\"}");
  REQUIRE(client.send(get("/hold")));
  REQUIRE(server.shelf.take() != nullptr);
  CHECK(client.read().status == 500);
  CHECK(client.exchange(get("/lost")).status == 500);
}

TEST_CASE("a handler that throws gives 500 without its text, and the server goes on") {
  TestServer server(host::HttpLimits(), [](const host::ExchangePtr& exchange) {
    if (exchange->request().path == "/std") throw std::runtime_error("secret detail");
    if (exchange->request().path == "/late") exchange->send(text(200, "sent before"));
    throw 42;
  });
  Client client = server.client();
  for (const char* path : {"/std", "/other"}) {
    const Reply reply = client.exchange(get(path));
    CHECK(reply.status == 500);
    CHECK(reply.body.find("internal error") != std::string::npos);
    CHECK(reply.body.find("secret") == std::string::npos);
  }
  CHECK(client.exchange(get("/late")).body == "sent before");
  CHECK(client.exchange(get("/std")).status == 500);
}

TEST_CASE("clients that leave while their answers are under way do no harm") {
  TestServer server(host::HttpLimits(), [](const host::ExchangePtr& exchange) {
    exchange->send(text(200, std::string(300000, 'x')));
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&server] {
      for (int i = 0; i < 100; ++i) {
        Client client = server.client();
        client.send(get(i % 2 ? "/hold" : "/big"));
        if (i % 3 == 0) client.available(1ms);
        if (i % 5 == 0)
          client.reset();
        else
          client.close();
      }
    });
  std::thread answerer([&server] {
    for (int i = 0; i < 100; ++i)
      for (const host::ExchangePtr& exchange : server.shelf.takeAll())
        exchange->send(text(200, "late"));
  });
  for (std::thread& thread : threads) thread.join();
  answerer.join();
  server.shelf.takeAll();
  CHECK(server.becomesEmpty());
}
