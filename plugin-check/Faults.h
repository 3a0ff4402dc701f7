// Broken rules, as they are seen at the border between a plugin and its host.
#pragma once

#include <initializer_list>
#include <mutex>
#include <string>
#include <vector>

namespace hearth::check {

/// Which rule: a check asks for those that it holds.
enum class Rule {
  throwing,     ///< an exception crossed the border
  status,       ///< a result that no call gives
  errorBuffer,  ///< more written than there was room for, or no end
  noReason,     ///< refused without a text
  oneDone,      ///< a statement ended twice, or one that does not run
  outputOrder,  ///< output, progress or display of a statement that does not run
  lateCall,     ///< a call to the host after release or destroy
  text,         ///< not UTF-8
  bundle,       ///< a bundle or a detail that is no JSON object
  thread,       ///< a [session] call outside a call of the host for that session
  value,        ///< a state, outcome or stream that the ABI does not know
  handle,       ///< a session handle that was never given
  slow          ///< a call took too long
};

/// What was seen so far. Thread-safe.
class Faults {
 public:
  void add(Rule rule, std::string text);
  /// Throws Failure where one of these rules was broken.
  void hold(std::initializer_list<Rule> rules) const;
  bool seen(Rule rule) const;
  void forget(Rule rule);

 private:
  struct Fault {
    Rule rule;
    std::string text;
  };
  mutable std::mutex mutex_;
  std::vector<Fault> faults_;  // bounded
};

}  // namespace hearth::check
