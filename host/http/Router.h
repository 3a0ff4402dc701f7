// The table of routes: a method, a path pattern and a handler each.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "http/Message.h"

namespace hearth::host {

/// Values of the pattern's {names}, decoded.
using PathArguments = std::map<std::string, std::string>;

/// Finds the handler of a request. Filled before the server starts, read-only afterwards.
class Router {
 public:
  using Handler = std::function<void(const ExchangePtr&, const PathArguments&)>;
  struct Route {
    std::string method;   ///< GET also answers HEAD
    std::string pattern;  ///< "/sessions/{id}/statements"
    Handler handler;
  };

  void add(std::string method, std::string pattern, Handler handler);
  const std::vector<Route>& routes() const { return routes_; }

  struct Match {
    const Route* route = nullptr;  ///< null: none
    PathArguments arguments;
    std::vector<std::string> allowed;  ///< methods of the path when only the method did not match
    std::string nearest;               ///< for an unknown path: the pattern most like it, or empty
  };
  Match match(const std::string& method, const std::vector<std::string>& segments) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace hearth::host
