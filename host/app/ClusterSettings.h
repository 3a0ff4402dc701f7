// The clusters from the configuration.
#pragma once

#include <string>

#include "cluster/ClusterFollowers.h"
#include "config/Settings.h"
#include "plugin/PluginCatalog.h"
#include "policy/Policy.h"

namespace hearth::host {

/// Folder of Hadoop's configuration, by the environment; empty: none.
std::string hadoopConf();

/// `policy` and `catalog` tell, besides the settings and Spark's defaults, which masters the
/// operator has named.
ClusterOptions clusterOptions(const Settings& settings, const PluginCatalog& catalog,
                              const Policy::Options& policy);

/// A key of a plugin's configuration; empty where it has none of the kind.
std::string configText(const CatalogEntry& entry, const char* key);

/// The master in the spark-defaults.conf of a Spark; empty where there is none.
std::string defaultMaster(const std::string& sparkHome);

/// Where the Spark of batches is; empty where the configuration does not say.
std::string sparkHome(const Settings& settings);

}  // namespace hearth::host
