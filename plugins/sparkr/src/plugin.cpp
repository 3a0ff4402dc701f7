#include <hearth/plugin.hpp>
#include <string>
#include <utility>

#include "FollowerSession.h"
#include "ROpening.h"

namespace {

class RInstance final : public hearth::Instance {
 public:
  RInstance(hearth::Host host, std::string config)
      : Instance(host, std::move(config)), opening_(this->config()) {}
  const hearth::sparkr::ROpening& opening() const noexcept { return opening_; }

 private:
  hearth::sparkr::ROpening opening_;
};

/// One R worker, which the session's driver starts beside itself.
class RSession final : public hearth::spark::FollowerSession {
 public:
  RSession(RInstance& instance, hearth::Host host, hearth_session_h handle, const hearth_open& open,
           const std::string& config)
      : FollowerSession(host, handle, open, config, "the R worker",
                        instance.opening().json(hearth::view(open.options_json))) {}
};

}  // namespace

HEARTH_PLUGIN_WITH(RSession, RInstance, R"({
  "id": "sparkr", "version": "1.0.0",
  "kinds": ["sparkr"], "aliases": {"sparkR": "sparkr", "r": "sparkr"}, "leader": "spark",
  "magics": ["json", "matplot", "table"],
  "mime": ["text/plain", "application/json", "application/vnd.livy.table.v1+json", "image/png"],
  "config": {
    "r": {"type": "string", "default": "",
      "doc": "R that runs sessions, where their conf names none; empty: R"},
    "allow_plain_r": {"type": "boolean", "default": false,
      "doc": "Where the Spark has no SparkR: run R without Spark instead of refusing"}
  }
})")
