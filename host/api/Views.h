// Sessions and statements as JSON, on Livy's face and on /v1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "session/SessionManager.h"
#include "store/Store.h"

namespace hearth::host {

/// Livy's session view: its fields in its order and no other (its Java client is strict).
std::string livySession(const SessionView& view);
/// Livy's statement view; the bundle is spliced in unparsed.
std::string livyStatement(const StatementRow& row);

/// Hearth's own: times, reason, what was printed, links.
std::string v1Session(const SessionView& view);
std::string v1Statement(const StatementRow& row);

/// Log lines of a session, live or ended.
LogFile::Page sessionLog(const SessionView& view, std::int64_t from, std::int64_t size);

}  // namespace hearth::host
