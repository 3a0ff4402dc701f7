// Follows applications as the host does, for tests: cluster_probe RESOURCE-MANAGERS MASTER-PAGES
// [CA-FILE], each separated by commas. Reads lines "follow NAME MASTER TAG ID", "know NAME TAG ID",
// "submitted NAME", "kill NAME", "drop NAME" ("-" for nothing); writes each report as a line of
// JSON.
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cluster/ClusterFollowers.h"

using namespace hearth::host;

namespace {

std::vector<std::string> list(const std::string& text) {
  std::vector<std::string> items;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');)
    if (item != "-") items.push_back(item);
  return items;
}

void tell(const std::string& name, const ApplicationReport& report) {
  static const char* const states[] = {"starting", "running", "finished", "failed", "killed"};
  const boost::json::value line{{"name", name},
                                {"state", states[static_cast<int>(report.state)]},
                                {"id", report.applicationId},
                                {"ui", report.sparkUiUrl},
                                {"log", report.driverLogUrl},
                                {"diagnostics", report.diagnostics}};
  std::printf("%s\n", boost::json::serialize(line).c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  EventLoop loop("probe", 2);
  ClusterOptions options;
  options.times.poll = std::chrono::milliseconds(300);
  options.resourceManagers = list(arguments[1]);
  options.masterPages = list(arguments[2]);
  if (count > 3) options.http.caFile = arguments[3];
  ClusterFollowers followers(loop, options);
  std::map<std::string, std::unique_ptr<FollowedApplication>> followed;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    std::string name;
    words >> verb >> name;
    const auto key = [&] {
      ApplicationKey read;
      words >> read.tag >> read.applicationId;
      if (read.tag == "-") read.tag.clear();
      if (read.applicationId == "-") read.applicationId.clear();
      return read;
    };
    if (verb == "follow") {
      std::string master;
      words >> master;
      followed[name] =
          followers.follow(key(), master, loop.strand(),
                           [name](const ApplicationReport& report) { tell(name, report); });
    } else if (verb == "know") {
      followed.at(name)->know(key());
    } else if (verb == "submitted") {
      followed.at(name)->submitted();
    } else if (verb == "kill") {
      followed.at(name)->kill();
    } else if (verb == "drop") {
      followed.erase(name);
    }
  }
  followed.clear();
  return 0;
}
