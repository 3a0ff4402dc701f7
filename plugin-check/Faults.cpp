#include "Faults.h"

#include <algorithm>
#include <utility>

#include "Check.h"

namespace hearth::check {

namespace {
constexpr std::size_t most = 100;
constexpr std::size_t told = 3;
}  // namespace

void Faults::add(Rule rule, std::string text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (faults_.size() < most) faults_.push_back({rule, std::move(text)});
}

void Faults::hold(std::initializer_list<Rule> rules) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  std::size_t count = 0;
  for (const Fault& fault : faults_) {
    if (std::find(rules.begin(), rules.end(), fault.rule) == rules.end()) continue;
    if (++count <= told) text += (text.empty() ? "" : "; ") + fault.text;
  }
  if (count > told) text += "; and " + std::to_string(count - told) + " more";
  if (count > 0) throw Failure(text);
}

bool Faults::seen(Rule rule) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::any_of(faults_.begin(), faults_.end(),
                     [rule](const Fault& fault) { return fault.rule == rule; });
}

void Faults::forget(Rule rule) {
  const std::lock_guard<std::mutex> lock(mutex_);
  faults_.erase(std::remove_if(faults_.begin(), faults_.end(),
                               [rule](const Fault& fault) { return fault.rule == rule; }),
                faults_.end());
}

}  // namespace hearth::check
