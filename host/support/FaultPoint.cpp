#include "support/FaultPoint.h"

#ifdef HEARTH_FAULT_POINTS

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

namespace hearth::host::faults {

namespace {

struct Point {
  const char* name;
  const char* actions;
};

constexpr Point points[] = {
#define FAULT_POINT(name, actions) {name, "kill stop delay " actions},
#include "support/FaultPoints.inc"
#undef FAULT_POINT
};

struct Armed {
  std::string point;
  std::string action;
  long millis = 0;     // of a delay
  unsigned long from;  // at which time
  bool onwards = false;
  unsigned long passed = 0;
};

// A test with a misspelt fault would prove nothing.
[[noreturn]] void refuse(const std::string& text) {
  std::fprintf(stderr, "HEARTH_FAULTS: %s\n", text.c_str());
  std::_Exit(2);
}

bool hasWord(const std::string& words, const std::string& word) {
  return (" " + words + " ").find(" " + word + " ") != std::string::npos;
}

Armed parse(const std::string& text) {
  Armed armed;
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) refuse(text + " is no POINT=ACTION");
  armed.point = text.substr(0, equals);
  std::string rest = text.substr(equals + 1);
  const std::size_t at = rest.find('@');
  std::string when = at == std::string::npos ? "1" : rest.substr(at + 1);
  rest.resize(std::min(at, rest.size()));
  if (!when.empty() && when.back() == '+') {
    armed.onwards = true;
    when.pop_back();
  }
  char* end = nullptr;
  armed.from = std::strtoul(when.c_str(), &end, 10);
  if (when.empty() || *end != '\0' || armed.from == 0) refuse(text + ": @N counts from 1");
  const std::size_t colon = rest.find(':');
  if (colon != std::string::npos) {
    armed.millis = std::strtol(rest.c_str() + colon + 1, nullptr, 10);
    rest.resize(colon);
  }
  armed.action = rest;
  for (const Point& point : points) {
    if (armed.point != point.name) continue;
    if (!hasWord(point.actions, armed.action)) refuse(text + ": it can be " + point.actions);
    return armed;
  }
  refuse(text + ": there is no such point");
}

struct Table {
  std::mutex mutex;
  std::vector<Armed> all;
};

// Not freed: threads may still pass points when the process exits.
Table& table() {
  static Table* const made = new Table;
  return *made;
}

bool arm() {
  const char* const given = std::getenv("HEARTH_FAULTS");
  if (given == nullptr) return false;
  std::string rest = given;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (comma > 0) table().all.push_back(parse(rest.substr(0, comma)));
    rest.erase(0, comma + 1);
  }
  return !table().all.empty();
}

}  // namespace

std::atomic<bool> armed{arm()};

Fault pass(const char* name) {
  std::string action;
  long millis = 0;
  {
    Table& all = table();
    const std::lock_guard<std::mutex> lock(all.mutex);
    for (Armed& entry : all.all) {
      if (entry.point != name) continue;
      ++entry.passed;
      if (entry.passed != entry.from && !(entry.onwards && entry.passed > entry.from)) continue;
      action = entry.action;
      millis = entry.millis;
    }
  }
  if (action.empty()) return Fault::none;
  const std::string line = std::string("fault ") + name + " " + action + "\n";
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
  if (action == "kill") ::kill(::getpid(), SIGKILL);
  if (action == "stop") ::kill(::getpid(), SIGSTOP);
  if (action == "delay") {
    timespec time{millis / 1000, millis % 1000 * 1000000};
    ::nanosleep(&time, nullptr);
  }
  return action == "error" ? Fault::error
         : action == "cut" ? Fault::cut
         : action == "dup" ? Fault::dup
                           : Fault::none;
}

}  // namespace hearth::host::faults

#endif
