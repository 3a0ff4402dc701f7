// Why a session or the host did not do what a client asked.
#pragma once

#include <stdexcept>
#include <string>

namespace hearth::host {

/// Carried to the HTTP faces, each of which gives it the status and form its clients know.
class Refusal : public std::runtime_error {
 public:
  enum class Cause {
    malformed,  ///< not JSON, or not an object
    invalid,    ///< a field is unknown, missing or wrong
    tooLarge,   ///< more than such a request can need
    parameter,  ///< a part of the path or query is wrong
    rejected,   ///< a create request that Livy answers with "Rejected, Reason: .."
    noSession,
    noBatch,
    noStatement,
    notFound,
    state,        ///< not in this state of the session
    conflict,     ///< the name is taken
    policy,       ///< the deployment's policy, by the rule that the text names
    mismatch,     ///< an idempotency key came with another request
    limit,        ///< a bound is reached; later it may work
    unsupported,  ///< this kind does not do that
    storage,      ///< the store said no
    plugin,       ///< a call of the plugin's does not return
    stopping      ///< the host is going down
  };

  Refusal(Cause cause, const std::string& text) : std::runtime_error(text), cause_(cause) {}
  Cause cause() const { return cause_; }

 private:
  Cause cause_;
};

/// What a client is told whose idempotency key was used for another request.
inline std::string keyOfAnother(const std::string& key) {
  return "Idempotency-Key " + key + " was used for another request: a new request needs a new key";
}

}  // namespace hearth::host
