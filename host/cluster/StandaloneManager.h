// The Master of one of Spark's standalone clusters.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/ClusterManager.h"
#include "cluster/HttpClient.h"

namespace hearth::host {

/// State of a Master's page, read.
struct StandaloneState {
  std::string url;                    ///< "spark://host:port"
  std::string status;                 ///< ALIVE, STANDBY, ...
  std::vector<SeenApplication> seen;  ///< applications and drivers
};

/// Reads a Master's /json/; `page` is its origin, for the links. Absent where the text is no such
/// thing.
std::optional<StandaloneState> standaloneState(std::string_view answer, const std::string& page);
/// An application's or a driver's state; what is not known is failed.
ApplicationReport::State standaloneState(std::string_view state);

/// The token in the forms of a Master's page; empty where there is none.
std::string formToken(const std::string& page);

/// Asks the web page of the Master, which also ends applications: a Master with
/// spark.ui.killEnabled=false ends none. Applications and drivers have ids and no tags. Of several
/// pages the one counts whose Master is alive and calls itself by the address that applications
/// use.
class StandaloneManager : public ClusterManager,
                          public std::enable_shared_from_this<StandaloneManager> {
 public:
  /// `master` is spark://host:port[,host:port...]. `pages` ("http://host:port") is where to look;
  /// empty: port 8080 of those hosts.
  StandaloneManager(EventLoop::Strand strand, std::shared_ptr<HttpClient> http, std::string master,
                    std::vector<std::string> pages);

  const std::string& name() const override { return master_; }
  bool findable(const ApplicationKey& key) const override { return !key.applicationId.empty(); }
  void list(const std::vector<ApplicationKey>& keys, Listed done) override;
  void kill(const std::string& applicationId, Killed done) override;

 private:
  void askNext(std::deque<std::string> untried, std::string errors, const Listed& done);
  void killWith(const std::string& applicationId, const std::string& token,
                std::function<void(unsigned status, const std::string& error)> done);
  void findToken(std::function<void(const std::string&)> done);
  bool serves(const std::string& url) const;

  const EventLoop::Strand strand_;
  const std::shared_ptr<HttpClient> http_;
  const std::string master_;
  const bool severalClusters_;
  std::vector<std::string> pages_;  // the one that answered last is the first
  std::string token_;               // what the Master's page has its own requests carry
};

/// The hosts and ports of a master's address: "spark://a:7077,b:7077" has two. Empty for others.
std::vector<std::string> standaloneMasters(const std::string& master);

}  // namespace hearth::host
