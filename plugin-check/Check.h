// What a check is: a rule, and a function that tries whether a plugin keeps it.
#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "Quirks.h"

namespace hearth::check {

/// A plugin and what is said of it.
struct Subject {
  std::filesystem::path file;  ///< absolute
  Quirks quirks;
};

/// What a check has to work with.
struct Context {
  Subject subject;
  std::optional<Subject> leader;  ///< --with
  bool launches = true;           ///< false: no REPL is to be started
  bool alone = true;              ///< false: --in-process
  std::filesystem::path scratch;  ///< empty, of this check alone, gone after it
};

/// The rule is broken; the text says what was seen.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The check does not apply; the text says why.
class Skipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Check {
  const char* group;
  const char* name;    ///< unique
  const char* rule;    ///< what is held
  const char* remedy;  ///< what to do where it is broken
  /// Returns where the rule is kept; throws Failure or Skipped. In a process of its own unless
  /// --in-process.
  void (*run)(const Context&);
};

enum class Outcome { passed, failed, crashed, timedOut, skipped };

/// "passed", "failed", "crashed", "timed out" or "skipped".
const char* name(Outcome outcome);

struct Result {
  Outcome outcome = Outcome::passed;
  std::string saw;  ///< empty where passed
};

/// Runs the check here; what it throws becomes a result.
Result runHere(const Check& check, const Context& context);

/// All checks, in the order in which they run.
const std::vector<Check>& allChecks();

// One group each, in the file of that name.
std::vector<Check> fileChecks();
std::vector<Check> tableChecks();
std::vector<Check> contractChecks();
std::vector<Check> statementChecks();
std::vector<Check> hostileChecks();
std::vector<Check> memoryChecks();
std::vector<Check> residueChecks();
std::vector<Check> recoverChecks();

}  // namespace hearth::check
