// Reads what a ResourceManager's web services say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/ClusterManager.h"

namespace hearth::host {

/// YARN's state and final status, as a state of ours. What YARN does not say together is failed, as
/// with Livy.
ApplicationReport::State yarnState(std::string_view state, std::string_view finalStatus);

/// Of an answer to /ws/v1/cluster/apps, or to .../apps/ID with the one application. Absent where
/// the text is neither. Applications that cannot be read are left out.
std::optional<std::vector<SeenApplication>> yarnApplications(std::string_view answer);

/// The text that a refusal carries for people; empty where there is none.
std::string yarnRefusal(std::string_view answer);

}  // namespace hearth::host
