// Followers of applications for each cluster that sessions and batches use.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cluster/ApplicationPoller.h"
#include "cluster/ClusterFollower.h"
#include "cluster/HttpClient.h"
#include "support/EventLoop.h"

namespace hearth::host {

struct ClusterOptions {
  PollTimes times;
  HttpClientOptions http;
  /// "http://host:port" of ResourceManagers; empty: by yarn-site.xml in `hadoopConf`.
  std::vector<std::string> resourceManagers;
  std::string hadoopConf;                ///< folder; empty: none
  std::string yarnUser;                  ///< told to ResourceManagers that do not use Kerberos
  std::vector<std::string> masterPages;  ///< "http://host:port" of standalone Masters
  /// Where `masterPages` is empty, the hosts of those of these that are spark://.. are asked, and
  /// no others: what a client names as its master must not have the host connect there.
  std::vector<std::string> masters;
};

/// One poller for YARN and one for each standalone master, made when first used. Asks nobody while
/// nothing is followed.
class ClusterFollowers : public ClusterFollower {
 public:
  /// Throws std::invalid_argument for an address that is none.
  ClusterFollowers(EventLoop& loop, ClusterOptions options);

  /// yarn and, where the operator knows of it, spark://...; local masters and Kubernetes are not.
  bool follows(const std::string& master) const override;
  std::unique_ptr<FollowedApplication> follow(ApplicationKey key, const std::string& master,
                                              EventLoop::Strand strand, Changed changed) override;

 private:
  std::shared_ptr<ApplicationPoller> poller(const std::string& master);

  EventLoop& loop_;
  const ClusterOptions options_;
  const std::set<std::string> masters_;  // host:port of Masters that may be asked
  const std::shared_ptr<HttpClient> http_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<ApplicationPoller>> pollers_;
};

}  // namespace hearth::host
