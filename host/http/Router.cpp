#include "http/Router.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace hearth::host {

namespace {

constexpr std::size_t kSuggestible = 200;  // longer paths are no typing mistakes
constexpr std::size_t kTypos = 3;

bool isName(std::string_view part) {
  return part.size() > 2 && part.front() == '{' && part.back() == '}';
}

std::vector<std::string_view> split(std::string_view pattern) {
  std::vector<std::string_view> parts;
  while (!pattern.empty() && pattern.front() == '/') {
    pattern.remove_prefix(1);
    if (pattern.empty()) break;
    parts.push_back(pattern.substr(0, pattern.find('/')));
    pattern.remove_prefix(parts.back().size());
  }
  return parts;
}

// Whether the pattern fits. `shape` gets one character per segment, so that of two fitting patterns
// the smaller shape is the one with a word where the other has a {name} first.
bool fits(std::string_view pattern, const std::vector<std::string>& segments, std::string& shape) {
  shape.clear();
  for (const std::string& segment : segments) {
    if (pattern.empty() || pattern.front() != '/') return false;
    pattern.remove_prefix(1);
    const std::string_view part = pattern.substr(0, pattern.find('/'));
    const bool name = isName(part);
    if (name ? segment.empty() : part != segment) return false;
    shape.push_back(name ? 'b' : 'a');
    pattern.remove_prefix(part.size());
  }
  return pattern.empty() || pattern == "/";
}

// Levenshtein's distance over any two sequences, given the cost of leaving out and of exchanging.
template <class Left, class Right, class Drop, class Swap>
std::size_t distance(const Left& left, const Right& right, Drop drop, Swap swap) {
  std::vector<std::size_t> row(right.size() + 1, 0);
  for (std::size_t k = 0; k < right.size(); ++k) row[k + 1] = row[k] + drop(right[k]);
  for (const auto& item : left) {
    std::size_t diagonal = row[0];
    row[0] += drop(item);
    for (std::size_t k = 0; k < right.size(); ++k) {
      const std::size_t exchanged = diagonal + swap(item, right[k]);
      diagonal = row[k + 1];
      row[k + 1] = std::min({exchanged, row[k] + drop(right[k]), row[k + 1] + drop(item)});
    }
  }
  return row.back();
}

std::size_t typos(std::string_view left, std::string_view right) {
  return distance(
      left, right, [](char) -> std::size_t { return 1; },
      [](char a, char b) -> std::size_t { return a == b ? 0 : 1; });
}

std::size_t pathDistance(const std::vector<std::string_view>& path, std::string_view pattern) {
  return distance(
      path, split(pattern), [](std::string_view part) -> std::size_t { return part.size() + 1; },
      [](std::string_view segment, std::string_view part) -> std::size_t {
        return isName(part) ? 0 : typos(segment, part);
      });
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler) {
  routes_.push_back({std::move(method), std::move(pattern), std::move(handler)});
}

Router::Match Router::match(const std::string& method,
                            const std::vector<std::string>& segments) const {
  Match found;
  std::string shape, bestShape;
  bool exact = false;
  for (const Route& route : routes_) {
    if (!fits(route.pattern, segments, shape)) continue;
    const bool sameMethod = route.method == method;
    if (sameMethod || (method == "HEAD" && route.method == "GET")) {
      // A route of HEAD's own goes before GET's.
      if (!found.route || shape < bestShape || (shape == bestShape && sameMethod && !exact)) {
        found.route = &route;
        bestShape = shape;
        exact = sameMethod;
      }
    }
    const auto allow = [&found](const std::string& name) {
      if (std::find(found.allowed.begin(), found.allowed.end(), name) == found.allowed.end())
        found.allowed.push_back(name);
    };
    allow(route.method);
    if (route.method == "GET") allow("HEAD");
  }
  if (found.route) {
    found.allowed.clear();
    const std::vector<std::string_view> parts = split(found.route->pattern);
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (isName(parts[i]))
        found.arguments.emplace(parts[i].substr(1, parts[i].size() - 2), segments[i]);
    return found;
  }
  if (!found.allowed.empty()) return found;

  std::vector<std::string_view> path;
  std::size_t length = 0;
  for (const std::string& segment : segments) {
    path.push_back(segment);
    length += segment.size() + 1;
  }
  if (length > kSuggestible) return found;
  // At most a few typos, and fewer than half of what was typed: "/foo" is not a way to write "/ui".
  std::size_t best = std::min(kTypos, length / 2) + 1;
  for (const Route& route : routes_) {
    const std::size_t far = pathDistance(path, route.pattern);
    if (far < best) {
      best = far;
      found.nearest = route.pattern;
    }
  }
  return found;
}

}  // namespace hearth::host
