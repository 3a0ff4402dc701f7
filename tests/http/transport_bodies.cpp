// Bodies of requests: their framing, their coding, their bounds.
#include <Poco/DeflatingStream.h>

#include <catch2/catch.hpp>
#include <sstream>

#include "http/transport_support.h"

using namespace hearth;
using namespace hearth::test;

namespace {

std::string chunked(const std::string& chunks, const std::string& more = "") {
  return "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + more + "\r\n" +
         chunks;
}

std::string deflated(const std::string& plain, int windowBits) {
  std::ostringstream out;
  Poco::DeflatingOutputStream deflater(out, windowBits, 6);
  deflater.write(plain.data(), static_cast<std::streamsize>(plain.size()));
  deflater.close();
  return out.str();
}

// Answers length and a checksum of the body, so that a big one need not come back.
void measure(const host::ExchangePtr& exchange) {
  const std::string& body = exchange->request().body;
  exchange->send(text(
      200, std::to_string(body.size()) + ' ' + std::to_string(std::hash<std::string>()(body))));
}

std::string measured(const std::string& body) {
  return std::to_string(body.size()) + ' ' + std::to_string(std::hash<std::string>()(body));
}

host::HttpLimits bodyBound(std::size_t bytes) {
  host::HttpLimits limits;
  limits.bodyBytes = bytes;
  return limits;
}

}  // namespace

TEST_CASE("a body arrives whole however it is cut into packets") {
  TestServer server;
  Client client = server.client();
  const std::string request = post("/echo", "{\"code\": \"1 + 1\"}");
  for (const char byte : request) REQUIRE(client.send(std::string(1, byte)));
  const Reply reply = client.read();
  CHECK(reply.status == 200);
  CHECK(reply.body == "POST /echo\n{\"code\": \"1 + 1\"}");
}

TEST_CASE("a chunked body is put together, with extensions and trailer passed over") {
  TestServer server;
  const std::string chunks =
      "5\r\nhello\r\n1;name=\"va lue\"\r\n \r\n005 \t;x\r\nworld\r\n0\r\nX-Trailer: y\r\n\r\n";
  Client client = server.client();
  CHECK(client.exchange(chunked(chunks)).body == "POST /echo\nhello world");
  // The same byte by byte, on the same connection: the first one was taken exactly.
  for (const char byte : chunked(chunks)) REQUIRE(client.send(std::string(1, byte)));
  CHECK(client.read().body == "POST /echo\nhello world");
  CHECK(client.exchange(chunked("A\r\n0123456789\r\n0\r\n\r\n")).body == "POST /echo\n0123456789");
  CHECK(client.exchange(chunked("0\r\n\r\n")).body == "POST /echo\n");
}

TEST_CASE("malformed chunks are refused, so that nothing is read past the end of a request") {
  TestServer server(bodyBound(1000));
  const auto status = [&server](const std::string& chunks) {
    Client client = server.client();
    const Reply reply = client.exchange(chunked(chunks));
    CHECK(client.closedByServer());
    return reply.status;
  };
  CHECK(status("x\r\n") == 400);
  CHECK(status("\r\n") == 400);
  CHECK(status("-1\r\n") == 400);
  CHECK(status("0x5\r\nhello\r\n") == 400);
  CHECK(status("5 5\r\n") == 400);
  CHECK(status("5 \r\nhello\r\n") == 400);
  CHECK(status("5\nhello\r\n") == 400);
  CHECK(status("5\r\nhelloX\r\n") == 400);
  CHECK(status("5\r\nhello\n") == 400);
  CHECK(status("5\r\nhelloworld") == 400);
  CHECK(status("5;" + std::string(300, 'x')) == 400);
  CHECK(status("5;a\x01\r\n") == 400);
  CHECK(status("fffffffffffffffff\r\n") == 413);
  CHECK(status("3e9\r\n") == 413);
  CHECK(status("3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n") == 413);
  CHECK(status("0\r\nbroken\r\n") == 400);
  CHECK(status("0\r\nA: " + std::string(9000, 'x')) == 431);
  std::string trailer = "0\r\n";
  for (int i = 0; i < 2000; ++i) trailer += "A: b\r\n";
  CHECK(status(trailer) == 431);
}

TEST_CASE("a client that waits for 100 Continue gets it, as Livy's Java client does") {
  TestServer server(bodyBound(1000));
  Client client = server.client();
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\n";
  REQUIRE(client.send(head));
  CHECK(client.read().status == 100);
  REQUIRE(client.send("body"));
  CHECK(client.read().body == "POST /echo\nbody");
  // Where the body is there already there is nothing to wait for.
  CHECK(client.exchange(head + "body").body == "POST /echo\nbody");

  Client tooBig = server.client();
  CHECK(tooBig
            .exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n"
                      "Expect: 100-continue\r\n\r\n")
            .status == 413);
  CHECK(server.once(get("/", "Expect: miracles\r\n")).status == 417);
}

TEST_CASE("compressed bodies are decoded, other codings are passed over") {
  TestServer server;
  const std::string plain = "{\"kind\": \"spark\", \"more\": \"" + std::string(5000, 'x') + "\"}";
  const auto echoed = [&server](const std::string& body, const std::string& coding) {
    return server.once(post("/echo", body, "Content-Encoding: " + coding + "\r\n")).body;
  };
  CHECK(echoed(gzipped(plain), "gzip") == "POST /echo\n" + plain);
  CHECK(echoed(gzipped(plain), "X-GZip") == "POST /echo\n" + plain);
  CHECK(echoed(deflated(plain, 15), "deflate") == "POST /echo\n" + plain);
  CHECK(echoed(deflated(plain, -15), "deflate") == "POST /echo\n" + plain);
  CHECK(echoed(gzipped(gzipped(plain)), "gzip, gzip") == "POST /echo\n" + plain);
  CHECK(echoed(plain, "UTF-8") == "POST /echo\n" + plain);
  CHECK(echoed(plain, "identity") == "POST /echo\n" + plain);
  CHECK(echoed("", "gzip") == "POST /echo\n");
  const std::string packed = gzipped(plain);
  std::ostringstream chunk;
  chunk << std::hex << packed.size() << "\r\n" << packed << "\r\n0\r\n\r\n";
  CHECK(server.once(chunked(chunk.str(), "Content-Encoding: gzip\r\n")).body ==
        "POST /echo\n" + plain);
}

TEST_CASE("a broken compressed body is refused, not handed on cut off") {
  TestServer server;
  const std::string plain = noise(50000);
  const std::string packed = gzipped(plain);
  const auto status = [&server](const std::string& body, const std::string& coding) {
    return server.once(post("/echo", body, "Content-Encoding: " + coding + "\r\n")).status;
  };
  REQUIRE(status(packed, "gzip") == 200);
  for (const std::size_t size : {std::size_t(1), std::size_t(5), std::size_t(10), std::size_t(17),
                                 packed.size() / 2, packed.size() - 8, packed.size() - 1})
    CHECK(status(packed.substr(0, size), "gzip") == 400);
  CHECK(status(packed + "trailing garbage", "gzip") == 400);
  CHECK(status(packed + gzipped("a second member"), "gzip") == 400);
  std::string flipped = packed;
  flipped[packed.size() - 6] = static_cast<char>(flipped[packed.size() - 6] ^ 1);
  CHECK(status(flipped, "gzip") == 400);
  CHECK(status("{\"plain\": true}", "gzip") == 400);
  CHECK(status("{\"plain\": true}", "deflate") == 400);
  const std::string zlib = deflated(plain, 15);
  CHECK(status(zlib.substr(0, zlib.size() / 2), "deflate") == 400);
  CHECK(status(zlib.substr(0, 2), "deflate") == 400);
  CHECK(status(packed, "gzip, gzip, gzip, gzip, gzip") == 400);
}

TEST_CASE("a decompression bomb is answered 413 and costs no more than the bound") {
  TestServer server(bodyBound(1000000));
  const std::string bomb = gzipped(std::string(50 * 1000 * 1000, '\0'));
  REQUIRE(bomb.size() < 100000);
  CHECK(server.once(post("/echo", bomb, "Content-Encoding: gzip\r\n")).status == 413);
  CHECK(server.once(post("/echo", gzipped(std::string(1000000, 'x')), "Content-Encoding: gzip\r\n"))
            .status == 200);
  CHECK(server.once(post("/echo", gzipped(std::string(1000001, 'x')), "Content-Encoding: gzip\r\n"))
            .status == 413);
}

TEST_CASE("a body of 100 MB arrives whole where the bound allows it") {
  TestServer server(bodyBound(128 * 1024 * 1024), measure);
  const std::string body = noise(100 * 1000 * 1000);
  Client client = server.client();
  REQUIRE(client.send(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n"));
  REQUIRE(client.send(body));
  CHECK(client.read().body == measured(body));

  // The same in chunks of changing size, compared with what one send gave.
  REQUIRE(client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
  std::string piece;
  for (std::size_t at = 0, size = 1; at < body.size(); at += size, size = size * 3 % 400009 + 1) {
    size = std::min(size, body.size() - at);
    std::ostringstream line;
    line << std::hex << size << "\r\n";
    piece.append(line.str()).append(body, at, size).append("\r\n");
    if (piece.size() > 1000000) {
      REQUIRE(client.send(piece));
      piece.clear();
    }
  }
  REQUIRE(client.send(piece + "0\r\n\r\n"));
  CHECK(client.read().body == measured(body));
}

TEST_CASE("a body beyond the bound is answered 413 before it is sent, and can be read") {
  TestServer server(bodyBound(1000000));
  Client announced = server.client();
  REQUIRE(announced.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"));
  CHECK(announced.read().status == 413);
  CHECK(announced.closedByServer());

  // One that sends on without looking: it may be cut off, but its answer is there.
  for (const char* framing :
       {"Content-Length: 100000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5f5e100\r\n"}) {
    Client blind = server.client();
    REQUIRE(blind.send(std::string("POST / HTTP/1.1\r\nHost: x\r\n") + framing));
    const std::string piece(1000000, 'x');
    for (int i = 0; i < 100 && blind.send(piece); ++i) {
    }
    CHECK(blind.read().status == 413);
    CHECK(blind.closedByServer());
  }
  CHECK(server.becomesEmpty());
}
