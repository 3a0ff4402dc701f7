// Why the deployment's policy does not let a request pass.
#pragma once

#include <stdexcept>
#include <string>

#include "support/Utf8.h"

namespace hearth::host {

/// what() begins with the rule: the key of the configuration that says so. What it cites of the
/// request may be cut anywhere, or decoded: what() is valid UTF-8 all the same.
class PolicyRefusal : public std::runtime_error {
 public:
  enum class Cause {
    refused,  ///< as it stands the request never passes
    limit     ///< too many at once; later it may pass
  };

  PolicyRefusal(Cause cause, const std::string& rule, const std::string& text)
      : std::runtime_error(repairUtf8(rule + ": " + text)), cause_(cause) {}
  PolicyRefusal(const std::string& rule, const std::string& text)
      : PolicyRefusal(Cause::refused, rule, text) {}
  Cause cause() const { return cause_; }

 private:
  Cause cause_;
};

}  // namespace hearth::host
