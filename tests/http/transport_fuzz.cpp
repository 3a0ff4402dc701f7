// Requests that are wrong in many ways: each is answered or its connection is closed.
#include <catch2/catch.hpp>
#include <random>

#include "http/transport_support.h"

using namespace hearth;
using namespace hearth::test;

namespace {

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string next() {
    static const std::vector<std::string> kSeeds = {
        get("/sessions/0/statements?from=1&size=%32", "Accept-Encoding: gzip;q=0.5\r\n"),
        post("/sessions", "{\"kind\":\"spark\"}", "Content-Type: application/json\r\n"),
        post("/sessions", gzipped(std::string(3000, 'z')), "Content-Encoding: gzip\r\n"),
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "HEAD http://h/x?y HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        get("/a") + get("/b") + post("/c", "d"),
    };
    static const std::vector<std::string> kPieces = {"\r\n",
                                                     "\n",
                                                     "\r",
                                                     ":",
                                                     " ",
                                                     "\t",
                                                     "%",
                                                     "%00",
                                                     "%2F",
                                                     ";",
                                                     ",",
                                                     "0",
                                                     "ffffffffffffffff",
                                                     "Content-Length: 5\r\n",
                                                     "Transfer-Encoding: chunked\r\n",
                                                     "Connection: close\r\n",
                                                     "HTTP/1.1",
                                                     "HTTP/1.0",
                                                     std::string(1, '\0'),
                                                     "\xff\xfe",
                                                     "-1",
                                                     "\r\n\r\n",
                                                     "/../",
                                                     std::string(300, 'A'),
                                                     "GET / HTTP/1.1\r\n"};
    std::string bytes = pick(kSeeds);
    for (std::size_t changes = below(5); changes > 0 && !bytes.empty(); --changes) {
      const std::size_t at = below(bytes.size());
      const std::size_t size = 1 + below(std::min<std::size_t>(20, bytes.size() - at));
      switch (below(7)) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes.erase(at, size);
          break;
        case 2:
          bytes.insert(at, pick(kPieces));
          break;
        case 3:
          bytes.insert(at, bytes.substr(at, size));
          break;
        case 4:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
          break;
        case 5:
          bytes.resize(at);
          break;
        default:
          bytes.replace(at, size, pick(kPieces));
          break;
      }
    }
    return bytes;
  }

  std::size_t below(std::size_t bound) { return random_() % bound; }

 private:
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("mutated requests never crash the server, and each ends in an answer or a close") {
  host::HttpLimits limits;
  limits.headerBytes = 2000;
  limits.bodyBytes = 2500;
  // What a mutation has left incomplete is only ended by time.
  limits.requestTime = 150ms;
  limits.idleTime = 150ms;
  TestServer server(limits);
  Mutator mutator(20240229);
  const auto until = std::chrono::steady_clock::now() + 20s;
  constexpr std::size_t kAtOnce = 100;
  std::size_t answered = 0, total = 0;
  while (total < 6000 && std::chrono::steady_clock::now() < until) {
    std::vector<Client> clients;
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      clients.push_back(server.client());
      sent.push_back(mutator.next());
      const std::size_t cut = sent.back().empty() ? 0 : mutator.below(sent.back().size());
      clients.back().send(sent.back().substr(0, cut));
      clients.back().send(sent.back().substr(cut));
    }
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const Reply reply = clients[i].read();
      CAPTURE(sent[i], reply.head);
      // Whatever came, no answer is one of success to something unreadable, and the end does come.
      const bool plausible = reply.status == 0 || (reply.status >= 100 && reply.status <= 505);
      REQUIRE(plausible);
      if (reply.status != 0) ++answered;
      REQUIRE(clients[i].closedByServer());
    }
    total += kAtOnce;
  }
  CHECK(total >= kAtOnce);
  CHECK(answered > total / 2);
  CHECK(server.becomesEmpty());
  CHECK(server.once(get("/still-here")).body == "GET /still-here\n");
}

TEST_CASE("random bytes never crash the server, and it closes on them") {
  host::HttpLimits limits;
  limits.requestTime = 150ms;
  limits.idleTime = 150ms;
  TestServer server(limits);
  std::mt19937 random(7);
  for (int round = 0; round < 10; ++round) {
    std::vector<Client> clients;
    for (int i = 0; i < 50; ++i) {
      std::string bytes(1 + random() % 3000, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      clients.push_back(server.client());
      clients.back().send(bytes);
    }
    for (Client& client : clients) REQUIRE(client.closedByServer());
  }
  CHECK(server.becomesEmpty());
  CHECK(server.once(get("/")).status == 200);
}
