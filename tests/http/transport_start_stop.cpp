// Starting and stopping.
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "http/transport_support.h"

using namespace hearth;
using namespace hearth::test;

namespace {

using Clock = std::chrono::steady_clock;

std::string startError(const std::string& host, std::uint16_t port) {
  host::HttpOptions options;
  options.host = host;
  options.port = port;
  host::HttpServer server(
      options, [](const host::ExchangePtr&) {}, nullptr, nullptr);
  try {
    server.start();
    return "started";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a server that cannot listen says where and why") {
  TestServer other;
  const std::string port = std::to_string(other.port());
  CHECK(startError("127.0.0.1", other.port()) ==
        "cannot listen on 127.0.0.1:" + port + ": Address already in use");
  CHECK(startError("192.0.2.1", 1) ==
        "cannot listen on 192.0.2.1:1: Cannot assign requested address");
  CHECK(
      startError("no.such.host.invalid", 0).rfind("cannot listen on no.such.host.invalid:0: ", 0) ==
      0);
  CHECK(startError("localhost", 0) == "started");
}

TEST_CASE("a port can be listened on again right after the server that had it") {
  std::uint16_t port = 0;
  {
    TestServer first;
    port = first.port();
    REQUIRE(port != 0);
    Client client = first.client();
    REQUIRE(client.exchange(get("/", "Connection: close\r\n")).status == 200);
  }
  CHECK(startError("127.0.0.1", port) == "started");
}

TEST_CASE("without an error maker or access log the server still answers") {
  host::HttpOptions options;
  options.port = 0;
  host::HttpServer server(
      options, [](const host::ExchangePtr&) {}, nullptr, nullptr);
  server.start();
  Client client(server.port());
  CHECK(client.exchange(get("/")).status == 500);
}

TEST_CASE("stop lets a request in hand finish within the grace, and then returns at once") {
  TestServer server;
  Client waiting = server.client();
  Client idle = server.client();
  REQUIRE(idle.exchange(get("/")).status == 200);
  REQUIRE(waiting.send(get("/hold")));
  const host::ExchangePtr held = server.shelf.take();
  REQUIRE(held);
  const auto begin = Clock::now();
  std::thread stopper([&] { server.server->stop(15000ms); });
  CHECK(idle.closedByServer());
  CHECK_THROWS(server.client());
  CHECK_FALSE(held->abandoned());
  held->send(text(200, "in time"));
  const Reply reply = waiting.read();
  CHECK(reply.body == "in time");
  CHECK(reply.header("connection") == "close");
  stopper.join();
  CHECK(Clock::now() - begin < 10s);
  CHECK(server.server->openConnections() == 0);
}

TEST_CASE("stop answers what is still held with 503 at the end of the grace") {
  TestServer server;
  std::vector<Client> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(server.client());
    REQUIRE(clients.back().send(get("/hold")));
  }
  REQUIRE(eventually([&] { return server.shelf.size() == 50; }));
  Client half = server.client();
  REQUIRE(half.send("GET /unfinished HTTP/1.1\r\n"));
  const auto begin = Clock::now();
  server.server->stop(200ms);
  CHECK(Clock::now() - begin >= 200ms);
  CHECK(Clock::now() - begin < 10s);
  for (Client& client : clients) {
    const Reply reply = client.read();
    CHECK(reply.status == 503);
    CHECK(reply.body == "{\"path\":\"/hold\",\"msg\":\"the server is stopping\"}");
    CHECK(client.closedByServer());
  }
  CHECK(half.closedByServer());
  CHECK(server.server->openConnections() == 0);
  for (const host::ExchangePtr& exchange : server.shelf.takeAll()) {
    CHECK(exchange->abandoned());
    exchange->send(text(200, "too late"));
  }
  server.server->stop(0ms);  // a second time does nothing
}

TEST_CASE("an exchange may outlive its server, be answered and dropped then") {
  std::vector<host::ExchangePtr> kept;
  {
    TestServer server;
    std::vector<Client> clients;
    for (int i = 0; i < 10; ++i) {
      clients.push_back(server.client());
      REQUIRE(clients.back().send(get("/hold")));
    }
    REQUIRE(eventually([&] { return server.shelf.size() == 10; }));
    kept = server.shelf.takeAll();
  }
  for (const host::ExchangePtr& exchange : kept) {
    CHECK(exchange->abandoned());
    CHECK(exchange->request().path == "/hold");
  }
  kept[0]->send(text(200, "into the void"));
  kept.clear();
}

TEST_CASE("stop outlasts a handler that blocks, although none should") {
  std::promise<void> entered, never;
  std::future<void> release = never.get_future();
  TestServer server(host::HttpLimits(), [&](const host::ExchangePtr& exchange) {
    entered.set_value();
    release.wait_for(3s);  // longer than stop waits for handlers
    exchange->send(text(200, "late"));
  });
  Client client = server.client();
  REQUIRE(client.send(get("/blocks")));
  REQUIRE(entered.get_future().wait_for(kPatience) == std::future_status::ready);
  server.server->stop(0ms);
  CHECK(server.server->openConnections() == 0);
  CHECK(client.closedByServer());
}

TEST_CASE("answers that race with stop and with leaving clients do no harm") {
  for (int round = 0; round < 20; ++round) {
    auto server = std::make_unique<TestServer>();
    std::vector<Client> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(server->client());
      REQUIRE(clients.back().send(get("/hold")));
    }
    REQUIRE(eventually([&] { return server->shelf.size() == 20; }));
    std::vector<host::ExchangePtr> kept = server->shelf.takeAll();
    std::thread answerer([&kept] {
      for (host::ExchangePtr& exchange : kept) {
        exchange->send(text(200, std::string(100000, 'x')));
        exchange.reset();
      }
    });
    std::thread leaver([&clients] {
      for (std::size_t i = 0; i < clients.size(); i += 2) clients[i].close();
    });
    server.reset();
    answerer.join();
    leaver.join();
    CHECK(kept[0] == nullptr);
  }
}
