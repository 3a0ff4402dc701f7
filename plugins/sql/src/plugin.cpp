#include <hearth/plugin.hpp>
#include <string>

#include "FollowerSession.h"
#include "SqlOpening.h"

namespace {

/// SQL on the SparkSession that the session's driver holds.
class SqlSession final : public hearth::spark::FollowerSession {
 public:
  SqlSession(hearth::Host host, hearth_session_h handle, const hearth_open& open,
             const std::string& config)
      : FollowerSession(host, handle, open, config, "the SQL interpreter",
                        hearth::sql::opening(config, hearth::view(open.options_json))) {}
};

}  // namespace

HEARTH_PLUGIN(SqlSession, R"({
  "id": "sql", "version": "1.0.0",
  "kinds": ["sql"], "leader": "spark",
  "mime": ["application/json", "text/plain"],
  "config": {
    "max_rows": {"type": "integer", "default": 1000,
      "doc": "Rows that a result has at most, where neither session nor statement say"}
  }
})")
