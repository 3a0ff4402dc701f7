// docs/openapi.json against the table of routes.
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "api/BatchRoutes.h"
#include "api/HealthApi.h"
#include "api/LivyApi.h"
#include "api/TemplatesApi.h"
#include "api/V1Api.h"
#include "plugin/PluginHost.h"
#include "process/Process.h"
#include "session/SessionManager.h"
#include "store/SqliteStore.h"

using namespace hearth::host;
namespace fs = std::filesystem;

namespace {

std::set<std::string> documented() {
  std::ifstream file(OPENAPI);
  std::stringstream text;
  text << file.rdbuf();
  std::set<std::string> routes;
  const auto document = boost::json::parse(text.str());
  for (const auto& path : document.at("paths").as_object())
    for (const auto& operation : path.value().as_object()) {
      std::string method(operation.key());
      std::transform(method.begin(), method.end(), method.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      routes.insert(method + " " + std::string(path.key()));
    }
  return routes;
}

std::set<std::string> served() {
  const fs::path folder =
      fs::temp_directory_path() / ("hearth-api-test-" + std::to_string(::getpid()));
  fs::create_directories(folder / "plugins");
  std::set<std::string> routes;
  {
    EventLoop loop("test-work", 1);
    SqliteStore store((folder / "hearth.db").string());
    Launcher launcher(loop, {});
    LinkOptions link;
    link.socket = (folder / "link.sock").string();
    LinkServer links(loop, link);
    PluginHost plugins({folder / "plugins", "", {}}, launcher, links);
    SessionEnvironment environment{loop,    plugins, store,   {},      nullptr, nullptr,
                                   nullptr, nullptr, nullptr, nullptr, {}};
    SessionManager manager(environment, folder.string(), {});
    const SessionCalls calls(manager, true, std::chrono::seconds(1));
    BatchManager batches(BatchEnvironment{loop, launcher, store, {}}, folder.string());
    const BatchCalls batchCalls(batches, BatchCalls::Face::v1, {std::chrono::seconds(1)});
    Router router;
    addLivyRoutes(router, calls);
    addLivyBatchRoutes(router, batchCalls);
    addV1BatchRoutes(router, batchCalls);
    addV1Routes(router, calls, plugins, "test");
    const Policy policy{{}};
    addTemplateRoutes(router, policy);
    addHealthRoutes(router, [] { return Health(); });
    for (const Router::Route& route : router.routes())
      routes.insert(route.method + " " + route.pattern);
    manager.shutdown(hearth::host::SessionManager::Stop::end, std::chrono::seconds(1));
    loop.stop();
  }
  fs::remove_all(folder);
  return routes;
}

}  // namespace

TEST_CASE("the OpenAPI document has every route and no other") {
  CHECK(documented() == served());
}
