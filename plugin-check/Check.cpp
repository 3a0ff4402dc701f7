#include "Check.h"

namespace hearth::check {

const char* name(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::crashed:
      return "crashed";
    case Outcome::timedOut:
      return "timed out";
    case Outcome::skipped:
      return "skipped";
  }
  return "";
}

Result runHere(const Check& check, const Context& context) {
  const auto absent = context.subject.quirks.skip.find(check.name);
  if (absent != context.subject.quirks.skip.end())
    return {Outcome::skipped, "the quirks file says: " + absent->second};
  try {
    check.run(context);
    return {};
  } catch (const Skipped& why) {
    return {Outcome::skipped, why.what()};
  } catch (const std::exception& why) {
    return {Outcome::failed, why.what()};
  }
}

const std::vector<Check>& allChecks() {
  static const std::vector<Check> all = [] {
    std::vector<Check> found;
    for (const auto& group : {fileChecks(), tableChecks(), contractChecks(), statementChecks(),
                              hostileChecks(), memoryChecks(), residueChecks(), recoverChecks()})
      found.insert(found.end(), group.begin(), group.end());
    return found;
  }();
  return all;
}

}  // namespace hearth::check
