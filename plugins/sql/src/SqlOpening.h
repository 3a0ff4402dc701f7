// What the driver is told when SQL joins it: OPEN's payload.
#pragma once

#include <string>
#include <string_view>

namespace hearth::sql {

/// OPEN's payload for a session: the driver's own SQL interpreter and how many rows a result may
/// have. That is the first which is set of: the session's conf spark.hearth.sql.maxRows and
/// livy.rsc.sql.num-rows, the plugin's `max_rows`. Throws hearth::Error (HEARTH_E_INVALID) where
/// it is no number from 1 to 10,000,000.
std::string opening(std::string_view configJson, std::string_view optionsJson);

}  // namespace hearth::sql
