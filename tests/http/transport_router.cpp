// The table of routes.
#include <catch2/catch.hpp>

#include "http/Router.h"

using hearth::host::Router;

namespace {

Router livyRoutes() {
  Router router;
  const auto none = [](const hearth::host::ExchangePtr&, const hearth::host::PathArguments&) {};
  router.add("GET", "/", none);
  router.add("POST", "/sessions", none);
  router.add("GET", "/sessions", none);
  router.add("GET", "/sessions/{id}", none);
  router.add("DELETE", "/sessions/{id}", none);
  router.add("GET", "/sessions/warm", none);
  router.add("GET", "/sessions/{id}/statements/{statement}", none);
  router.add("POST", "/sessions/{id}/statements/{statement}/cancel", none);
  router.add("GET", "/batches", none);
  router.add("HEAD", "/batches", none);
  router.add("GET", "/version", none);
  return router;
}

using Path = std::vector<std::string>;

}  // namespace

TEST_CASE("a path finds its route and the values in it") {
  const Router router = livyRoutes();
  const auto found = router.match("GET", Path{"sessions", "7", "statements", "a/b"});
  REQUIRE(found.route);
  CHECK(found.route->pattern == "/sessions/{id}/statements/{statement}");
  CHECK(found.arguments == hearth::host::PathArguments{{"id", "7"}, {"statement", "a/b"}});
  CHECK(found.allowed.empty());
  CHECK(found.nearest.empty());
  REQUIRE(router.match("GET", {}).route);
  CHECK(router.match("GET", {}).route->pattern == "/");
}

TEST_CASE("a word in the pattern goes before a {name}, whichever was added first") {
  const Router router = livyRoutes();
  CHECK(router.match("GET", Path{"sessions", "warm"}).route->pattern == "/sessions/warm");
  CHECK(router.match("GET", Path{"sessions", "cold"}).route->pattern == "/sessions/{id}");
}

TEST_CASE("GET routes answer HEAD, unless HEAD has a route of its own") {
  const Router router = livyRoutes();
  REQUIRE(router.match("HEAD", Path{"sessions"}).route);
  CHECK(router.match("HEAD", Path{"sessions"}).route->method == "GET");
  CHECK(router.match("HEAD", Path{"batches"}).route->method == "HEAD");
  CHECK(router.match("GET", Path{"batches"}).route->method == "GET");
}

TEST_CASE("a wrong method learns the right ones, as Livy's Allow header tells them") {
  const auto found = livyRoutes().match("PUT", Path{"sessions"});
  CHECK_FALSE(found.route);
  CHECK(found.allowed == Path{"POST", "GET", "HEAD"});
  CHECK(found.nearest.empty());
}

TEST_CASE("a mistyped path learns the route most like it, a strange one nothing") {
  const Router router = livyRoutes();
  const auto nearest = [&router](const Path& path) {
    const auto found = router.match("GET", path);
    CHECK_FALSE(found.route);
    CHECK(found.allowed.empty());
    return found.nearest;
  };
  CHECK(nearest({"session"}) == "/sessions");
  CHECK(nearest({"sesions", "7"}) == "/sessions/{id}");
  CHECK(nearest({"Sessions", "7", "statement", "0"}) == "/sessions/{id}/statements/{statement}");
  CHECK(nearest({"batch"}).empty() == false);
  CHECK(nearest({"wp-admin"}).empty());
  CHECK(nearest({"x"}).empty());
  CHECK(nearest({std::string(10000, 's')}).empty());
  CHECK(nearest(Path(5000, "s")).empty());
  CHECK(nearest({"sessions", ""}).empty() == false);
}
