// Clients that are slow, silent, too many or gone.
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "http/transport_support.h"

using namespace hearth;
using namespace hearth::test;

namespace {

using Clock = std::chrono::steady_clock;

std::chrono::microseconds cpuTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// Sends one byte of `bytes` at a time, far apart, until the server answers.
Reply trickle(Client& client, const std::string& bytes) {
  for (const char byte : bytes) {
    if (!client.send(std::string(1, byte))) break;
    const Reply reply = client.read(false, 20ms);
    if (reply.status) return reply;
  }
  return client.read();
}

}  // namespace

TEST_CASE("a request that trickles in is answered 408 and closed: slow-loris holds nothing") {
  host::HttpLimits limits;
  limits.requestTime = 300ms;
  TestServer server(limits);
  SECTION("in the header") {
    Client client = server.client();
    const auto begin = Clock::now();
    CHECK(trickle(client, get("/", "A: " + std::string(2000, 'a') + "\r\n")).status == 408);
    CHECK(Clock::now() - begin >= 300ms);
    CHECK(client.closedByServer());
  }
  SECTION("in the body") {
    Client client = server.client();
    CHECK(trickle(client, post("/", std::string(2000, 'b'))).status == 408);
    CHECK(client.closedByServer());
  }
  SECTION("in the chunks") {
    Client client = server.client();
    std::string chunks;
    for (int i = 0; i < 1000; ++i) chunks += "1\r\nx\r\n";
    CHECK(
        trickle(client, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
            .status == 408);
    CHECK(client.closedByServer());
  }
  SECTION("in the second request of a connection") {
    Client client = server.client();
    CHECK(client.exchange(get("/")).status == 200);
    REQUIRE(client.send("GET / HTTP/1.1\r\n"));
    CHECK(client.read().status == 408);
    CHECK(client.closedByServer());
  }
  SECTION("after the client was told to continue") {
    Client client = server.client();
    REQUIRE(
        client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                    "Expect: 100-continue\r\n\r\n"));
    CHECK(client.read().status == 100);
    CHECK(client.read().status == 408);
  }
  CHECK(server.becomesEmpty());
}

TEST_CASE("a connection without a request is closed silently after the idle time") {
  host::HttpLimits limits;
  limits.idleTime = 200ms;
  limits.requestTime = 10000ms;
  TestServer server(limits);
  Client silent = server.client();
  Client used = server.client();
  Client newlines = server.client();
  CHECK(used.exchange(get("/")).status == 200);
  const auto begin = Clock::now();
  while (newlines.send("\r\n", 100ms) && Clock::now() - begin < kPatience) {
    if (newlines.closedByServer(20ms)) break;
  }
  CHECK(Clock::now() - begin < 5s);
  CHECK(silent.available(kPatience).empty());
  CHECK(used.closedByServer());
  CHECK(server.becomesEmpty());
  CHECK(server.accesses().size() == 1);
}

TEST_CASE("a request that waits for its answer is not subject to the time-outs of reading") {
  host::HttpLimits limits;
  limits.idleTime = 100ms;
  limits.requestTime = 100ms;
  limits.sendTime = 100ms;
  TestServer server(limits);
  Client client = server.client();
  REQUIRE(client.send(get("/hold")));
  const host::ExchangePtr held = server.shelf.take();
  REQUIRE(held);
  CHECK_FALSE(client.closedByServer(500ms));
  held->send(text(200, "at last"));
  CHECK(client.read().body == "at last");
}

TEST_CASE("a client that does not read its answer is dropped, one that reads slowly is not") {
  host::HttpLimits limits;
  limits.sendTime = 400ms;
  const std::string big = noise(30 * 1000 * 1000);
  TestServer server(limits,
                    [&big](const host::ExchangePtr& exchange) { exchange->send(text(200, big)); });
  SECTION("not reading") {
    Client client(server.port(), 4096);
    REQUIRE(client.send(get("/")));
    REQUIRE(eventually([&] { return server.server->openConnections() == 1; }));
    CHECK(server.becomesEmpty());
    REQUIRE(eventually([&] { return server.accesses().size() == 1; }));
    CHECK(server.accesses()[0].bytes < big.size());
  }
  SECTION("reading slowly") {
    Client client(server.port());
    REQUIRE(client.send(get("/")));
    const auto begin = Clock::now();
    std::string got;
    // For longer than the bound, but never silent for as long as it.
    while (Clock::now() - begin < 1200ms) got += client.available(20ms).substr(0);
    CHECK_FALSE(got.empty());
    while (got.size() < big.size()) {
      const std::string more = client.available(100ms);
      if (more.empty()) break;
      got += more;
    }
    CHECK(got.substr(got.size() - 1000) == big.substr(big.size() - 1000));
  }
}

TEST_CASE("an answer of 100 MB arrives whole") {
  const std::string big = noise(100 * 1000 * 1000);
  TestServer server(host::HttpLimits(), [&big](const host::ExchangePtr& exchange) {
    host::Response response = text(200, big);
    response.contentType = "application/octet-stream";
    exchange->send(std::move(response));
  });
  Client client = server.client();
  const Reply reply = client.exchange(get("/"));
  CHECK(reply.status == 200);
  CHECK(reply.body == big);
  REQUIRE(eventually([&] { return server.accesses().size() == 1; }));
  CHECK(server.accesses()[0].bytes == big.size());
}

TEST_CASE("beyond the connection limit a client is told so with 503 and closed") {
  host::HttpLimits limits;
  limits.connections = 3;
  TestServer server(limits);
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.client());
    REQUIRE(clients.back().exchange(get("/")).status == 200);
  }
  Client fourth = server.client();
  const Reply refused = fourth.exchange(get("/"));
  CHECK(refused.status == 503);
  CHECK(refused.header("connection") == "close");
  CHECK(fourth.closedByServer());
  // Refused ones that stay do not keep others out once there is room.
  std::vector<Client> refusedOnes;
  for (int i = 0; i < 5; ++i) {
    refusedOnes.push_back(server.client());
    CHECK(refusedOnes.back().exchange(get("/")).status == 503);
  }
  CHECK(clients[0].exchange(get("/")).status == 200);
  clients.pop_back();
  CHECK(eventually([&] { return server.once(get("/")).status == 200; }, 1500ms));
}

TEST_CASE("out of descriptors the server waits without spinning and then goes on") {
  TestServer server;
  REQUIRE(server.once(get("/")).status == 200);
  REQUIRE(server.becomesEmpty());
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  // A new descriptor gets the lowest free number; just above it the limit lets one more client in.
  std::vector<Client> clients;
  const int lowest = ::dup(0);
  REQUIRE(lowest >= 0);
  ::close(lowest);
  rlimit scarce = before;
  scarce.rlim_cur = static_cast<rlim_t>(lowest) + 1;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &scarce) == 0);
  clients.push_back(server.client());  // takes the last descriptor: the server has none to accept
  const bool sent = clients[0].send(get("/"));
  const auto cpu = cpuTime();
  const Reply none = clients[0].read(false, 500ms);
  const auto used = cpuTime() - cpu;
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(sent);
  CHECK(none.status == 0);
  CHECK(used < 200ms);
  CHECK(clients[0].read().status == 200);
  CHECK(server.once(get("/")).status == 200);
}
