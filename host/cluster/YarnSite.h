// Where the ResourceManagers are, by Hadoop's own configuration.
#pragma once

#include <string>
#include <vector>

namespace hearth::host {

/// Addresses ("http://host:port") of the ResourceManagers' web services by `folder`/yarn-site.xml:
/// all of those that stand in for each other, https where the policy says so. Empty where the file
/// names none. Throws std::runtime_error, naming the file, where it cannot be read.
std::vector<std::string> resourceManagersOf(const std::string& folder);

}  // namespace hearth::host
