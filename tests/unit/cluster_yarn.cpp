#include <catch2/catch.hpp>
#include <fstream>
#include <future>
#include <memory>

#include "cluster/YarnAnswers.h"
#include "cluster/YarnManager.h"
#include "cluster/YarnSite.h"
#include "scripted_server.h"
#include "temp_folder.h"

using namespace hearth::host;
using namespace hearth::test;
using State = ApplicationReport::State;

namespace {

struct Learned {
  std::string error;
  std::vector<SeenApplication> seen;
};

/// A manager with its loop; calls wait for their answers.
struct Bench {
  explicit Bench(YarnManager::Addresses addresses, std::string user = {},
                 HttpClientOptions options = {}) {
    manager = std::make_shared<YarnManager>(strand, std::make_shared<HttpClient>(loop, options),
                                            std::move(addresses), std::move(user));
  }
  Learned list(const std::vector<ApplicationKey>& keys) {
    const auto promise = std::make_shared<std::promise<Learned>>();
    EventLoop::post(strand, [this, keys, promise] {
      manager->list(keys, [promise](std::string error, std::vector<SeenApplication> seen) {
        promise->set_value({std::move(error), std::move(seen)});
      });
    });
    return wait(promise);
  }
  std::string kill(const std::string& id) {
    const auto promise = std::make_shared<std::promise<std::string>>();
    EventLoop::post(strand, [this, id, promise] {
      manager->kill(id, [promise](std::string error) { promise->set_value(std::move(error)); });
    });
    return wait(promise);
  }
  template <typename Value>
  static Value wait(const std::shared_ptr<std::promise<Value>>& promise) {
    auto future = promise->get_future();
    REQUIRE(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    return future.get();
  }

  EventLoop loop{"test", 1};
  EventLoop::Strand strand = loop.strand();
  std::shared_ptr<YarnManager> manager;
};

std::string app(const std::string& id, const std::string& tags,
                const std::string& state = "RUNNING",
                const std::string& finalStatus = "UNDEFINED") {
  return R"({"id":")" + id + R"(","applicationTags":")" + tags + R"(","state":")" + state +
         R"(","finalStatus":")" + finalStatus +
         R"(","startedTime":1700000000000,"diagnostics":"words","trackingUI":"ApplicationMaster",)" +
         R"("trackingUrl":"http://rm/proxy/x/","amContainerLogs":"http://nm/logs"})";
}
std::string apps(const std::string& inside) {
  return R"({"apps":{"app":[)" + inside + "]}}";
}

std::vector<std::string> site(const std::string& properties) {
  TempFolder folder;
  std::ofstream(folder / "yarn-site.xml") << "<configuration>" << properties << "</configuration>";
  return resourceManagersOf(folder.path());
}
std::string property(const std::string& name, const std::string& value) {
  return "<property><name>yarn." + name + "</name><value>" + value + "</value></property>";
}

}  // namespace

TEST_CASE("YARN's states and final states mean what they mean with Livy", "[cluster]") {
  for (const char* state : {"NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED"})
    CHECK(yarnState(state, "UNDEFINED") == State::starting);
  CHECK(yarnState("RUNNING", "UNDEFINED") == State::running);
  CHECK(yarnState("RUNNING", "SUCCEEDED") == State::running);
  CHECK(yarnState("FINISHED", "SUCCEEDED") == State::finished);
  CHECK(yarnState("FAILED", "FAILED") == State::failed);
  CHECK(yarnState("KILLED", "KILLED") == State::killed);
  CHECK(yarnState("FINISHED", "FAILED") == State::failed);
  CHECK(yarnState("FINISHED", "KILLED") == State::failed);
  CHECK(yarnState("RUNNING", "FAILED") == State::failed);
  CHECK(yarnState("", "") == State::failed);
}

TEST_CASE("what a ResourceManager says of applications is read, whatever else is in it",
          "[cluster]") {
  const auto seen = yarnApplications(apps(app("application_1_1", "a,b")));
  REQUIRE(seen);
  REQUIRE(seen->size() == 1);
  const ApplicationReport& report = seen->front().report;
  CHECK(report.applicationId == "application_1_1");
  CHECK(report.state == State::running);
  CHECK(report.driverLogUrl == "http://nm/logs");
  CHECK(report.sparkUiUrl == "http://rm/proxy/x/");
  CHECK(report.diagnostics == "words");
  CHECK(seen->front().started == 1700000000000);
  CHECK(seen->front().is({"B", ""}));
  CHECK(seen->front().is({"", "application_1_1"}));
  CHECK_FALSE(seen->front().is({"ab", "application_1_10"}));
  CHECK_FALSE(seen->front().is({"", ""}));

  // One that has not started has no pages yet.
  const auto early = yarnApplications(
      R"({"app":{"id":"application_1_2","state":"ACCEPTED","finalStatus":"UNDEFINED",)"
      R"("trackingUI":"UNASSIGNED","trackingUrl":"http://rm/x","startedTime":"soon"}})");
  REQUIRE((early && early->size() == 1));
  CHECK(early->front().report.sparkUiUrl.empty());

  CHECK(yarnApplications(R"({"apps":null})")->empty());
  CHECK(yarnApplications(R"({"apps":{}})")->empty());
  CHECK(yarnApplications(R"({"apps":{"app":[{},3,null,{"id":7}]}})")->empty());
  for (const char* wrong : {"", "null", "[]", "{}", "<html>", "{\"apps\":", "{\"app\":3}"})
    CHECK_FALSE(yarnApplications(wrong));

  const auto large = yarnApplications(R"({"app":{"id":"application_1_2","diagnostics":"x)" +
                                      std::string(20000, '\xc3').substr(1) + "\"}}");
  CHECK_FALSE(large);  // no UTF-8
  std::string umlauts;
  for (int i = 0; i < 20000; ++i) umlauts += "\xc3\xa4";
  const auto cut = yarnApplications(R"({"app":{"id":"a","diagnostics":"x)" + umlauts + "\"}}");
  REQUIRE(cut);
  CHECK(cut->front().report.diagnostics.size() == 16383);
}

TEST_CASE("ResourceManagers are found in yarn-site.xml", "[cluster]") {
  using Addresses = std::vector<std::string>;
  CHECK(site("") == Addresses{});
  CHECK(site(property("resourcemanager.hostname", " rm ")) == Addresses{"http://rm:8088"});
  CHECK(site(property("resourcemanager.hostname", "rm") +
             property("resourcemanager.webapp.address", "${yarn.resourcemanager.hostname}:80")) ==
        Addresses{"http://rm:80"});
  CHECK(site(property("resourcemanager.hostname", "rm") + property("http.policy", "HTTPS_ONLY")) ==
        Addresses{"https://rm:8090"});
  CHECK(site(property("resourcemanager.ha.enabled", "true") +
             property("resourcemanager.ha.rm-ids", "one, two") +
             property("resourcemanager.hostname.one", "first") +
             property("resourcemanager.webapp.address.two", "second:99")) ==
        Addresses{"http://first:8088", "http://second:99"});
  CHECK(site(property("resourcemanager.webapp.address", "${a}${a}") + property("", "")) ==
        Addresses{"http://${a}${a}"});
  CHECK_THROWS_WITH(site("<property>"), Catch::Contains("yarn-site.xml: "));
  CHECK_THROWS_WITH(resourceManagersOf("/nowhere"), Catch::Contains("/nowhere/yarn-site.xml"));
}

TEST_CASE("many applications cost one request, and more only where the address gets too long",
          "[cluster]") {
  ScriptedServer server([](const auto&) {
    return ScriptedServer::answer(200, apps(app("application_1_1", "tag-1,other")));
  });
  Bench bench([&] { return std::vector<std::string>{server.url()}; }, "me");
  std::vector<ApplicationKey> keys;
  for (int i = 0; i < 50; ++i) keys.push_back({"tag-" + std::to_string(i), ""});
  const Learned learned = bench.list(keys);
  CHECK(learned.error.empty());
  CHECK(learned.seen.size() == 1);
  REQUIRE(server.requests().size() == 1);
  const std::string target = server.requests()[0].target;
  CHECK(target.find("/ws/v1/cluster/apps?applicationTags=tag-0,tag-1,") == 0);
  CHECK(target.find(",tag-49&") != std::string::npos);
  CHECK(target.find("&user.name=me") != std::string::npos);

  for (int i = 0; i < 1000; ++i) keys.push_back({"a-longer-tag-" + std::to_string(i), ""});
  CHECK(bench.list(keys).error.empty());
  const auto requests = server.requests();
  CHECK(requests.size() == 1 + 3);
  for (const auto& request : requests) CHECK(request.target.size() < 6200);
}

TEST_CASE("one without a tag is asked for by its id, and may be unknown", "[cluster]") {
  ScriptedServer server([](const auto& request) {
    return request.target.find("application_1_1") != std::string::npos
               ? ScriptedServer::answer(200, "{\"app\":" + app("application_1_1", "") + "}")
               : ScriptedServer::answer(404, "{}");
  });
  Bench bench([&] { return std::vector<std::string>{server.url()}; });
  const Learned learned = bench.list({{"", "application_1_2"}, {"", "application_1_1"}});
  CHECK(learned.error.empty());
  REQUIRE(learned.seen.size() == 1);
  CHECK(learned.seen[0].is({"", "application_1_1"}));
}

TEST_CASE("where one ResourceManager cannot answer the next one is asked, and then first",
          "[cluster]") {
  ScriptedServer broken([](const auto&) { return ScriptedServer::answer(503, "starting"); });
  ScriptedServer active([](const auto&) { return ScriptedServer::answer(200, apps("")); });
  int read = 0;
  Bench bench([&] {
    ++read;
    return std::vector<std::string>{"http://127.0.0.1:1", broken.url(), active.url()};
  });
  CHECK(bench.list({{"a", ""}}).error.empty());
  CHECK(bench.list({{"a", ""}}).error.empty());
  CHECK(broken.requests().size() == 1);
  CHECK(active.requests().size() == 2);
  CHECK(read == 1);
}

TEST_CASE("a standby sends to the active one, which is then asked directly", "[cluster]") {
  ScriptedServer active([](const auto&) { return ScriptedServer::answer(200, apps("")); });
  ScriptedServer standby([&](const auto& request) {
    return ScriptedServer::answer(307, "", "Location: " + active.url() + request.target + "\r\n");
  });
  Bench bench([&] { return std::vector<std::string>{standby.url()}; });
  CHECK(bench.list({{"a", ""}}).error.empty());
  CHECK(bench.kill("application_1_1").empty());
  CHECK(standby.requests().size() == 1);
  REQUIRE(active.requests().size() == 2);
  CHECK(active.requests()[1].method == "PUT");
  CHECK(active.requests()[1].target == "/ws/v1/cluster/apps/application_1_1/state");
  CHECK(active.requests()[1].body == R"({"state":"KILLED"})");
}

TEST_CASE("when nobody answers each is named, and the addresses are read again", "[cluster]") {
  ScriptedServer broken([](const auto&) { return ScriptedServer::answer(500, ""); });
  int read = 0;
  Bench bench([&] {
    ++read;
    return std::vector<std::string>{"http://127.0.0.1:1", broken.url()};
  });
  for (int i = 1; i <= 2; ++i) {
    const std::string error = bench.list({{"a", ""}}).error;
    CHECK(error.find("http://127.0.0.1:1: ") == 0);
    CHECK(error.find("; " + broken.url() + " answers 500") != std::string::npos);
    CHECK(read == i);
  }
  Bench none([] { return std::vector<std::string>{}; });
  CHECK(none.list({{"a", ""}}).error.find("yarn.resource_managers") != std::string::npos);
  Bench unreadable([]() -> std::vector<std::string> { throw std::runtime_error("no such file"); });
  CHECK(unreadable.list({{"a", ""}}).error == "no such file");
}

TEST_CASE("a refusal to end an application says why", "[cluster]") {
  std::string reply = ScriptedServer::answer(
      403, R"({"RemoteException":{"message":"User dr.who cannot","exception":"X"}})");
  ScriptedServer server([&](const auto&) { return reply; });
  Bench bench([&] { return std::vector<std::string>{server.url()}; });
  CHECK(bench.kill("application_1_1") == server.url() + " answers 403 User dr.who cannot");
  CHECK(bench.list({{"a", ""}}).error.find("User dr.who cannot") != std::string::npos);
  reply = ScriptedServer::answer(200, "<html>");
  CHECK(bench.list({{"a", ""}}).error.find("no list") != std::string::npos);
  reply = ScriptedServer::answer(404, "{}");
  CHECK(bench.kill("application_1_1").empty());
}
