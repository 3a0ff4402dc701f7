// Responses: framing, connection handling, compression.
#include <catch2/catch.hpp>

#include "http/transport_support.h"

using namespace hearth;
using namespace hearth::test;

namespace {

TestServer::Handler always(host::Response response) {
  return [response](const host::ExchangePtr& exchange) { exchange->send(response); };
}

}  // namespace

TEST_CASE("an answer has date, type and length as Livy's clients expect them") {
  host::Response response = host::Response::json(201, "{\"id\":0}");
  response.contentType = "application/json;charset=utf-8";
  response.headers = {{"Location", "/sessions/0"}, {"X-Frame-Options", "SAMEORIGIN"}};
  TestServer server(host::HttpLimits(), always(response));
  const Reply reply = server.once(get("/"));
  CHECK(reply.head.rfind("HTTP/1.1 201 Created\r\n", 0) == 0);
  CHECK(reply.header("content-type") == "application/json;charset=utf-8");
  CHECK(reply.header("content-length") == "8");
  CHECK(reply.header("location") == "/sessions/0");
  CHECK(reply.header("x-frame-options") == "SAMEORIGIN");
  CHECK(reply.header("connection").empty());
  CHECK(reply.header("date").size() == 29);
  CHECK(reply.header("date").substr(25) == " GMT");
  CHECK(reply.body == "{\"id\":0}");
}

TEST_CASE("an empty body has a length and needs no type") {
  host::Response response;
  response.contentType.clear();
  TestServer server(host::HttpLimits(), always(response));
  const Reply reply = server.once(get("/"));
  CHECK(reply.status == 200);
  CHECK(reply.header("content-length") == "0");
  CHECK(reply.headers.count("content-type") == 0);
}

TEST_CASE("HEAD tells the length and sends no body, so the connection stays in step") {
  TestServer server;
  Client client = server.client();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(client.send("HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n"));
    const Reply reply = client.read(true);
    CHECK(reply.status == 200);
    CHECK(reply.header("content-length") == "10");
  }
  CHECK(client.exchange(get("/abc")).body == "GET /abc\n");
  CHECK(server.accesses()[0].bytes == 0);
}

TEST_CASE("204 and 304 are sent without a body, so the connection stays in step") {
  for (const int status : {204, 304}) {
    TestServer server(host::HttpLimits(), always(text(status, "not to be seen")));
    Client client = server.client();
    CHECK(client.exchange(get("/")).status == status);
    CHECK(client.exchange(get("/")).status == status);
    CHECK(client.available(50ms).empty());
  }
}

TEST_CASE("connections are kept or closed as the client asks") {
  TestServer server;
  const auto staysOpen = [&server](const std::string& bytes, const std::string& saying) {
    Client client = server.client();
    const Reply reply = client.exchange(bytes);
    CHECK(reply.status == 200);
    CHECK(reply.header("connection") == saying);
    const bool open = !client.closedByServer(200ms);
    if (open) CHECK(client.exchange(get("/")).status == 200);
    return open;
  };
  CHECK(staysOpen(get("/"), ""));
  CHECK_FALSE(staysOpen(get("/", "Connection: close\r\n"), "close"));
  CHECK_FALSE(staysOpen(get("/", "Connection: TE, Close\r\nTE: trailers\r\n"), "close"));
  CHECK_FALSE(staysOpen("GET / HTTP/1.0\r\n\r\n", "close"));
  CHECK(staysOpen("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "keep-alive"));
  CHECK(staysOpen("\r\n\r\n" + get("/"), ""));
}

TEST_CASE("a client that ends its sending direction still gets its answer") {
  TestServer server;
  Client client = server.client();
  REQUIRE(client.send(get("/a") + get("/b")));
  client.endSending();
  CHECK(client.read().body == "GET /a\n");
  CHECK(client.read().body == "GET /b\n");
  CHECK(client.closedByServer());
}

TEST_CASE("a handler can have the connection closed, and cannot break the framing") {
  host::Response response = text(200, "body");
  response.headers = {{"connection", "close"},
                      {"Content-Length", "9999"},
                      {"Transfer-Encoding", "chunked"},
                      {"X-Evil", "a\r\nSet-Cookie: x=y"},
                      {"X Y", "z"},
                      {"X-Good", "z"}};
  TestServer server(host::HttpLimits(), always(response));
  Client client = server.client();
  const Reply reply = client.exchange(get("/"));
  CHECK(reply.body == "body");
  CHECK(reply.header("content-length") == "4");
  CHECK(reply.header("connection") == "close");
  CHECK(reply.header("x-good") == "z");
  CHECK(reply.headers.count("transfer-encoding") == 0);
  CHECK(reply.headers.count("set-cookie") == 0);
  CHECK(reply.headers.count("x-evil") == 0);
  CHECK(client.closedByServer());
}

TEST_CASE("a status that is none becomes 500, so that no client waits for another") {
  TestServer server(host::HttpLimits(), always(text(100, "x")));
  CHECK(server.once(get("/")).status == 500);
}

TEST_CASE("long text is compressed for clients that take it, and only for them") {
  std::string body = "{\"log\":[";
  for (int i = 0; i < 500; ++i) body += "\"line " + std::to_string(i) + "\",";
  body += "0]}";
  TestServer server(host::HttpLimits(), [&body](const host::ExchangePtr& exchange) {
    const host::Request& request = exchange->request();
    host::Response response = host::Response::json(200, body);
    response.contentType = request.parameter("type").value_or("application/json;charset=utf-8");
    if (const auto size = request.parameter("size")) response.body.resize(std::stoul(*size), 'x');
    if (request.path == "/encoded") response.headers.emplace_back("Content-Encoding", "br");
    exchange->send(std::move(response));
  });
  const auto ask = [&server](const std::string& accept, const std::string& path = "/") {
    return server.once(get(path, accept.empty() ? "" : "Accept-Encoding: " + accept + "\r\n"));
  };
  const auto isGzip = [](const Reply& reply) { return reply.header("content-encoding") == "gzip"; };

  const Reply packed = ask("gzip, deflate");
  CHECK(isGzip(packed));
  CHECK(packed.header("vary") == "Accept-Encoding");
  CHECK(packed.body.size() < body.size() / 2);
  CHECK(gunzipped(packed.body) == body);
  const Reply plain = ask("");
  CHECK_FALSE(isGzip(plain));
  CHECK(plain.header("vary") == "Accept-Encoding");
  CHECK(plain.body == body);

  CHECK(isGzip(ask("*")));
  CHECK(isGzip(ask("GZIP;q=0.5, br;q=1.0")));
  CHECK(isGzip(ask("identity;q=0.5, gzip;q=0.8")));
  CHECK_FALSE(isGzip(ask("gzip;q=0")));
  CHECK_FALSE(isGzip(ask("gzip; q=0.0, *")));
  CHECK_FALSE(isGzip(ask("gzip;q=0.3, identity;q=0.9")));
  CHECK_FALSE(isGzip(ask("*;q=0")));
  CHECK_FALSE(isGzip(ask("deflate, br")));
  CHECK_FALSE(isGzip(ask("identity")));
  CHECK_FALSE(isGzip(ask("gzip;q=nonsense")));

  CHECK(isGzip(ask("gzip", "/?size=1024")));
  CHECK_FALSE(isGzip(ask("gzip", "/?size=1023")));
  CHECK(isGzip(ask("gzip", "/?type=text/html;charset=utf-8")));
  CHECK(isGzip(ask("gzip", "/?type=application/problem%2Bjson")));
  CHECK_FALSE(isGzip(ask("gzip", "/?type=image/png")));
  CHECK_FALSE(isGzip(ask("gzip", "/?type=text/event-stream")));
  CHECK(ask("gzip", "/encoded").header("content-encoding") == "br");

  Client head = server.client();
  REQUIRE(head.send("HEAD / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"));
  CHECK(head.read(true).header("content-length") == packed.header("content-length"));
}

TEST_CASE("the access log names every answer with its status and size") {
  TestServer server;
  Client client = server.client();
  CHECK(client.exchange(get("/abc")).status == 200);
  CHECK(client.exchange(post("/def/", "xyz")).status == 200);
  CHECK(client.exchange("junk\r\n").status == 400);
  REQUIRE(eventually([&] { return server.accesses().size() == 3; }));
  const std::vector<Access> lines = server.accesses();
  CHECK((lines[0].method == "GET" && lines[0].path == "/abc" && lines[0].status == 200 &&
         lines[0].bytes == 9));
  CHECK((lines[1].method == "POST" && lines[1].path == "/def" && lines[1].bytes == 13));
  CHECK((lines[2].method.empty() && lines[2].status == 400));
}
