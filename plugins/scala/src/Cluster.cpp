#include "Cluster.h"

#include <unistd.h>

#include <hearth/plugin.hpp>
#include <string_view>

#include "submit/StandaloneDriver.h"

namespace hearth::scala {

namespace {

constexpr const char* linkFileProperty = "spark.hearth.link.file";

bool startsWith(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

void append(Properties& properties, const char* key, const std::string& item, char separator) {
  std::string& list = properties[key];
  if (!list.empty()) list += separator;
  list += item;
}

bool readable(const std::string& path) {
  return ::access(path.c_str(), R_OK) == 0;
}

ClusterKind kindOf(const Properties& properties) {
  return clusterKind(properties.at("spark.master"));
}

}  // namespace

ClusterKind clusterKind(const std::string& master) {
  if (master.empty() || startsWith(master, "local")) return ClusterKind::none;
  if (master == "yarn") return ClusterKind::yarn;
  if (startsWith(master, "spark://")) return ClusterKind::standalone;
  if (startsWith(master, "k8s://")) return ClusterKind::kubernetes;
  return ClusterKind::other;
}

void addClusterProperties(Properties& properties, const Config& config, const Request& request) {
  // Whoever sets it names a file for the driver to read.
  properties.erase(linkFileProperty);
  switch (kindOf(properties)) {
    case ClusterKind::yarn: {
      append(properties, "spark.yarn.tags", request.tag, ',');
      // Spark then brings Python's half of itself to the containers, as for an application in
      // Python: any session may come to speak it.
      const std::string& home = config.sparkHome;
      if (readable(home + "/python/lib/pyspark.zip")) properties["spark.yarn.isPython"] = "true";
      const std::string sparkr = home + "/R/lib/sparkr.zip";
      if (readable(sparkr)) append(properties, "spark.yarn.dist.archives", sparkr + "#sparkr", ',');
      break;
    }
    case ClusterKind::kubernetes:
      for (const char* part : {"driver", "executor"})
        properties["spark.kubernetes." + std::string(part) + ".label.hearth-tag"] = request.tag;
      break;
    default:
      break;
  }
}

void addDriverProperties(Properties& properties, const Request& request) {
  const std::string& master = properties.at("spark.master");
  switch (kindOf(properties)) {
    case ClusterKind::yarn:
      properties["spark.yarn.submit.waitAppCompletion"] = "false";
      // A second driver would know nothing of what the first one held.
      properties["spark.yarn.maxAppAttempts"] = "1";
      break;
    case ClusterKind::standalone:
      submit::addStandaloneDriver(properties);
      properties["spark.driver.supervise"] = "false";
      break;
    case ClusterKind::kubernetes:
      properties["spark.kubernetes.submission.waitAppCompletion"] = "false";
      break;
    case ClusterKind::none:
    case ClusterKind::other:
      throw Error(HEARTH_E_INVALID,
                  "the scala plugin's deploy_mode is cluster, but the session's master is " +
                      master +
                      ": set the plugin's \"master\" to yarn, spark://HOST:PORT or "
                      "k8s://https://HOST:PORT, or its \"deploy_mode\" to client");
  }
  // The session's folder is of this machine.
  const auto warehouse = properties.find("spark.sql.warehouse.dir");
  if (warehouse != properties.end() && startsWith(warehouse->second, request.folder))
    properties.erase(warehouse);
}

std::string linkFileFolder(const Properties& properties, const Config& config,
                           const Request& request) {
  const bool shared = kindOf(properties) == ClusterKind::standalone && !config.sharedDir.empty();
  return shared ? config.sharedDir : request.folder;
}

void addLinkFile(Properties& properties, const std::string& linkFile) {
  switch (kindOf(properties)) {
    case ClusterKind::yarn:
      append(properties, "spark.yarn.dist.files", linkFile + "#" + linkFileName, ',');
      properties[linkFileProperty] = linkFileName;
      break;
    case ClusterKind::kubernetes:
      append(properties, "spark.files", linkFile, ',');
      properties[linkFileProperty] = linkFileName;
      break;
    default:
      properties[linkFileProperty] = linkFile;
  }
}

std::string submittedId(std::string_view line) {
  for (const std::string_view words : {std::string_view("Submitted application "),
                                       std::string_view("Driver successfully submitted as ")}) {
    const auto at = line.find(words);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = line.substr(at + words.size());
    return std::string(rest.substr(0, rest.find_first_of(" ,\t\r")));
  }
  return {};
}

}  // namespace hearth::scala
