// What a session's Spark is told where a cluster runs its executors, or its driver too.
#pragma once

#include <string>

#include "SparkSettings.h"

namespace hearth::scala {

enum class ClusterKind { none, standalone, yarn, kubernetes, other };

/// Of a master such as "yarn"; none for "local[*]".
ClusterKind clusterKind(const std::string& master);

/// The name by which the link file is found in the working folder of a driver in the cluster.
constexpr const char* linkFileName = "hearth-link.json";

/// Adds what executors in a cluster need, and the session's tag, by which its application is found.
void addClusterProperties(Properties& properties, const Config& config, const Request& request);

/// Adds what a driver in the cluster needs. Throws hearth::Error (HEARTH_E_INVALID) where the
/// master is no cluster.
void addDriverProperties(Properties& properties, const Request& request);

/// Tells Spark to take the link file to the driver. `linkFile` is the host's path of it, by the
/// name linkFileName where it is Spark that carries it.
void addLinkFile(Properties& properties, const std::string& linkFile);

/// The folder that a copy of the link file has to be in, mode 0600, for addLinkFile(); the driver
/// of a standalone cluster reads it there itself.
std::string linkFileFolder(const Properties& properties, const Config& config,
                           const Request& request);

/// The application's id in a line that Spark's submission prints; empty where it has none.
std::string submittedId(std::string_view line);

}  // namespace hearth::scala
