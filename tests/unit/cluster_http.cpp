#include <catch2/catch.hpp>
#include <future>
#include <memory>

#include "cluster/HttpClient.h"
#include "scripted_server.h"

using namespace hearth::host;
using namespace hearth::test;

namespace {

HttpAnswer ask(HttpQuestion question, HttpClientOptions options = {}) {
  EventLoop loop("test", 1);
  HttpClient client(loop, std::move(options));
  auto promise = std::make_shared<std::promise<HttpAnswer>>();
  auto future = promise->get_future();
  client.ask(std::move(question), loop.strand(),
             [promise](const HttpAnswer& answer) { promise->set_value(answer); });
  REQUIRE(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  return future.get();
}

HttpAnswer get(const std::string& url, HttpClientOptions options = {}) {
  HttpQuestion question;
  question.url = url;
  return ask(question, std::move(options));
}

}  // namespace

TEST_CASE("addresses come apart, and what is none is refused", "[cluster]") {
  const auto plain = HttpUrl::parse("http://manager:8088/ws/v1?a=b#there");
  REQUIRE(plain);
  CHECK(plain->origin() == "http://manager:8088");
  CHECK(plain->target == "/ws/v1?a=b");
  CHECK(HttpUrl::parse("HTTPS://manager")->origin() == "https://manager:443");
  CHECK(HttpUrl::parse("http://manager/")->authority() == "manager");
  CHECK(HttpUrl::parse("http://[::1]:80?x")->target == "/?x");
  CHECK(HttpUrl::parse("http://[::1]:81")->authority() == "[::1]:81");
  for (const char* wrong :
       {"", "manager:8088", "ftp://manager", "http://", "http://:80", "http://user@manager",
        "http://manager:", "http://manager:x", "http://manager:123456", "http://[::1",
        "http://manager/a b", "http://manager/\r\nX: y", "http://[::1]x"})
    CHECK_FALSE(HttpUrl::parse(wrong));
  CHECK(queryValue("a b&c=d/e,f-1_2.3~") == "a%20b%26c%3Dd%2Fe,f-1_2.3~");
}

TEST_CASE("a question is answered with status and body, and carries what servers want to know",
          "[cluster]") {
  ScriptedServer server([](const auto&) { return ScriptedServer::answer(202, "{\"a\":1}"); });
  HttpQuestion question;
  question.method = "PUT";
  question.url = server.url() + "/path?x=1";
  question.body = "{}";
  question.contentType = "application/json";
  const HttpAnswer answer = ask(question);
  CHECK(answer.error.empty());
  CHECK(answer.status == 202);
  CHECK(answer.body == "{\"a\":1}");
  CHECK(answer.origin == server.url());
  REQUIRE(server.requests().size() == 1);
  const auto request = server.requests()[0];
  CHECK(request.method == "PUT");
  CHECK(request.target == "/path?x=1");
  CHECK(request.body == "{}");
  CHECK(request.head.find("Accept: application/json") != std::string::npos);
  CHECK(request.head.find("X-XSRF-Header: ") != std::string::npos);
}

TEST_CASE("a server that answers badly costs an error that names it, and no more", "[cluster]") {
  HttpClientOptions options;
  options.answerBytes = 1000;
  const auto error = [&](const std::string& bytes) {
    ScriptedServer server([&](const auto&) { return bytes; });
    const HttpAnswer answer = get(server.url(), options);
    CHECK(answer.status == 0);
    CHECK(answer.error.find(server.url() + ": ") == 0);
    return answer.error;
  };
  CHECK(error(ScriptedServer::answer(200, std::string(1001, 'x'))).find("larger than 1000") !=
        std::string::npos);
  CHECK(error("HTTP/1.1 200 X\r\n\r\n" + std::string(5000, 'x')).find("larger than 1000") !=
        std::string::npos);
  CHECK(error("HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nhalf").find("before the end") !=
        std::string::npos);
  CHECK(error("HTTP/1.1 200 X\r\nA: " + std::string(100000, 'x')) != "");
  CHECK(error("").find("before the end") != std::string::npos);
  CHECK(error("what?\r\n\r\n") != "");
  CHECK(error(std::string(300, '\0')) != "");
}

TEST_CASE("an answer without a length ends with the connection", "[cluster]") {
  ScriptedServer server([](const auto&) { return "HTTP/1.1 200 X\r\n\r\nall of it"; });
  CHECK(get(server.url()).body == "all of it");
}

TEST_CASE("who does not answer is not waited for", "[cluster]") {
  HttpClientOptions options;
  options.time = std::chrono::milliseconds(100);
  ScriptedServer server([](const auto&) { return "hang"; });
  CHECK(get(server.url(), options).error.find("no answer within 100 ms") != std::string::npos);
  CHECK(get("http://127.0.0.1:1/").error.find("refused") != std::string::npos);
  CHECK(get("nowhere").error.find("'nowhere' is no http or https address") != std::string::npos);
  CHECK(get("https://127.0.0.1:1/").error != "");
}

TEST_CASE("redirects are followed with method and body, and not for ever", "[cluster]") {
  ScriptedServer active([](const auto& request) {
    return ScriptedServer::answer(200, request.method + request.body);
  });
  std::string target;
  std::string kind = "307 X\r\nLocation: ";
  ScriptedServer standby(
      [&](const auto&) { return "HTTP/1.1 " + kind + target + "\r\nContent-Length: 0\r\n\r\n"; });
  HttpQuestion question;
  question.method = "PUT";
  question.url = standby.url();
  question.body = "{}";
  question.contentType = "application/json";

  target = active.url() + "/there?a=b";
  HttpAnswer answer = ask(question);
  CHECK(answer.body == "PUT{}");
  CHECK(answer.origin == active.url());
  CHECK(active.requests().at(0).target == "/there?a=b");

  // The way of old ResourceManagers.
  kind = "200 X\r\nRefresh: 3; url=";
  CHECK(ask(question).body == "PUT{}");

  // Neither is this the same request at another place, nor is the last one there.
  kind = "302 X\r\nLocation: ";
  CHECK(ask(question).status == 302);
  question.method = "GET";
  CHECK(ask(question).status == 200);
  target = "/self";
  CHECK(ask(question).error.find("redirected too often") != std::string::npos);
  target = "ftp://elsewhere";
  CHECK(ask(question).error.find("no http or https address") != std::string::npos);
}

TEST_CASE("who is asked for authentication is asked once, and the answer is sent", "[cluster]") {
  ScriptedServer server([](const auto& request) {
    const bool known = request.head.find("Authorization: Negotiate ticket") != std::string::npos;
    return known ? ScriptedServer::answer(200, "in")
                 : ScriptedServer::answer(401, "", "WWW-Authenticate: Negotiate\r\n");
  });
  CHECK(get(server.url()).status == 401);

  int asked = 0;
  std::string ticket = "Negotiate ticket";
  HttpClientOptions options;
  options.authorize = [&](const HttpUrl& url, const std::string& challenge, const auto& give) {
    ++asked;
    CHECK(url.origin() == server.url());
    CHECK(challenge == "Negotiate");
    // From a thread that may block, as a round to the KDC would.
    std::thread([give, ticket] { give(ticket); }).join();
  };
  CHECK(get(server.url(), options).body == "in");
  CHECK(asked == 1);
  ticket = "Negotiate wrong";
  CHECK(get(server.url(), options).status == 401);
  ticket.clear();
  CHECK(get(server.url(), options).error.find("wants authentication") != std::string::npos);
}
