#include <catch2/catch.hpp>
#include <future>
#include <memory>

#include "cluster/ClusterFollowers.h"
#include "cluster/StandaloneManager.h"
#include "scripted_server.h"

using namespace hearth::host;
using namespace hearth::test;
using State = ApplicationReport::State;

namespace {

std::string page(const std::string& url, const std::string& status = "ALIVE") {
  return R"({"url":")" + url + R"(","status":")" + status +
         R"(","workers":[{"id":"worker-1","webuiaddress":"http://w:8081"}],)"
         R"("activeapps":[{"id":"app-1","starttime":5,"state":"RUNNING","name":"x"}],)"
         R"("completedapps":[{"id":"app-0","state":"FINISHED"},{"state":"FINISHED"}],)"
         R"("activedrivers":[{"id":"driver-1","starttime":"5","state":"SUBMITTED","worker":"None"},)"
         R"({"id":"driver-2","state":"RUNNING","worker":"worker-1"}],)"
         R"("completeddrivers":[{"id":"driver-0","state":"ERROR","worker":"worker-9"}]})";
}

struct Bench {
  Bench(const std::string& master, std::vector<std::string> pages) {
    manager = std::make_shared<StandaloneManager>(
        strand, std::make_shared<HttpClient>(loop, HttpClientOptions{}), master, std::move(pages));
  }
  std::pair<std::string, std::size_t> list() {
    std::promise<std::pair<std::string, std::size_t>> promise;
    EventLoop::post(strand, [&] {
      manager->list({}, [&](std::string error, std::vector<SeenApplication> seen) {
        promise.set_value({std::move(error), seen.size()});
      });
    });
    return promise.get_future().get();
  }
  std::string kill(const std::string& id) {
    std::promise<std::string> promise;
    EventLoop::post(strand, [&] {
      manager->kill(id, [&](std::string error) { promise.set_value(std::move(error)); });
    });
    return promise.get_future().get();
  }

  EventLoop loop{"test", 1};
  EventLoop::Strand strand = loop.strand();
  std::shared_ptr<StandaloneManager> manager;
};

}  // namespace

TEST_CASE("a Master's page is read: applications and drivers, with links", "[cluster]") {
  const auto state = standaloneState(page("spark://m:7077"), "http://m:8080");
  REQUIRE(state);
  CHECK(state->url == "spark://m:7077");
  REQUIRE(state->seen.size() == 5);
  const auto report = [&](const std::string& id) {
    for (const SeenApplication& one : state->seen)
      if (one.is({"", id})) return one.report;
    FAIL("no " + id);
    return ApplicationReport{};
  };
  CHECK(report("app-1").state == State::running);
  CHECK(report("app-1").sparkUiUrl == "http://m:8080/app/?appId=app-1");
  CHECK(report("app-0").state == State::finished);
  CHECK(report("driver-1").state == State::starting);
  CHECK(report("driver-1").driverLogUrl.empty());
  CHECK(report("driver-2").driverLogUrl ==
        "http://w:8081/logPage/?driverId=driver-2&logType=stderr");
  CHECK(report("driver-0").state == State::failed);
  CHECK(standaloneState("WAITING") == State::starting);
  CHECK(standaloneState("RELAUNCHING") == State::starting);
  CHECK(standaloneState("KILLED") == State::killed);
  CHECK(standaloneState("FAILED") == State::failed);
  CHECK(standaloneState("UNKNOWN") == State::failed);
  for (const char* wrong : {"", "{}", "[]", "<html>", "{\"apps\":[]}"})
    CHECK_FALSE(standaloneState(wrong, "http://m:8080"));
}

TEST_CASE("addresses of standalone masters are told from others", "[cluster]") {
  CHECK(standaloneMasters("spark://a:7077,b:7078") == std::vector<std::string>{"a:7077", "b:7078"});
  for (const char* other : {"yarn", "local[2]", "spark", "k8s://https://a", "spark://"})
    CHECK(standaloneMasters(other).empty());
}

TEST_CASE("of several pages the living Master's of this cluster counts", "[cluster]") {
  ScriptedServer standby(
      [](const auto&) { return ScriptedServer::answer(200, page("spark://a:7077", "STANDBY")); });
  ScriptedServer other(
      [](const auto&) { return ScriptedServer::answer(200, page("spark://c:7077")); });
  ScriptedServer alive(
      [](const auto&) { return ScriptedServer::answer(200, page("spark://b:7077")); });
  Bench bench("spark://a:7077,b:7077",
              {"http://127.0.0.1:1", standby.url(), other.url(), alive.url()});
  CHECK(bench.list() == std::pair<std::string, std::size_t>("", 5));
  CHECK(bench.list().first.empty());
  CHECK(standby.requests().size() == 1);
  CHECK(alive.requests().size() == 2);

  Bench none("spark://d:7077", {standby.url(), other.url()});
  const std::string error = none.list().first;
  CHECK(error.find(standby.url() + " is STANDBY; " + other.url() + " is of spark://c:7077") == 0);
  // The only one there is may go by any name.
  Bench single("spark://alias:7077", {alive.url()});
  CHECK(single.list().first.empty());
}

TEST_CASE("an application ends where the Master wants a token from its page, and where it does not",
          "[cluster]") {
  std::string token;
  ScriptedServer master([&](const auto& request) {
    if (request.method == "GET")
      return ScriptedServer::answer(
          200, "<form><input type=\"hidden\" name=\"csrfToken\" value=\"" + token + "\"/></form>");
    if (!token.empty() && request.body.find("&csrfToken=" + token) == std::string::npos)
      return ScriptedServer::answer(403, "");
    return ScriptedServer::answer(302, "", "Location: /\r\n");
  });
  Bench bench("spark://a:7077", {master.url()});
  CHECK(bench.kill("app-1").empty());
  token = "t0ken";
  CHECK(bench.kill("driver-1").empty());
  CHECK(bench.kill("driver-2").empty());
  const auto requests = master.requests();
  REQUIRE(requests.size() == 5);
  CHECK(requests[0].target == "/app/kill/");
  CHECK(requests[0].body == "id=app-1&terminate=true");
  CHECK(requests[3].target == "/driver/kill/");
  CHECK(requests[4].body == "id=driver-2&terminate=true&csrfToken=t0ken");

  ScriptedServer closed([](const auto&) { return ScriptedServer::answer(403, "<html>"); });
  Bench refused("spark://a:7077", {closed.url()});
  CHECK(refused.kill("app-1") == closed.url() + " answers 403");
  CHECK(formToken("\"csrfToken\"").empty());
  CHECK(formToken("<input name=\"csrfToken\">").empty());
  CHECK(formToken("<input value=\"a\" name=\"csrfToken\"><input value=\"b\">") == "a");
}

TEST_CASE("no host is asked that only a client has named as its master", "[cluster]") {
  EventLoop loop{"test", 1};
  ClusterOptions options;
  options.masters = {"spark://a:7077,b:7077", "yarn", "local[2]", "spark://c:7078"};
  const ClusterFollowers named(loop, options);
  for (const char* known : {"yarn", "spark://a:7077", "spark://b:7077,a:7077", "spark://c:7078"})
    CHECK(named.follows(known));
  for (const char* unknown :
       {"spark://evil:7077", "spark://a:7077,evil:7077", "spark://c:7077", "spark://", "spark://a",
        "spark://x@a:7077", "local[*]", "k8s://https://a:7077"})
    CHECK_FALSE(named.follows(unknown));

  options.masterPages = {"http://page:8080"};
  const ClusterFollowers paged(loop, options);
  CHECK(paged.follows("spark://evil:7077"));  // by the operator's page only
}
