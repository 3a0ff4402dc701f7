#include "cluster/ClusterFollowers.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cluster/HttpUrl.h"
#include "cluster/StandaloneManager.h"
#include "cluster/YarnManager.h"
#include "cluster/YarnSite.h"

namespace hearth::host {

namespace {

const std::string yarn = "yarn";
constexpr std::size_t mastersKept = 100;

// Without the slash that people put at the end.
std::vector<std::string> origins(const std::vector<std::string>& addresses) {
  std::vector<std::string> found;
  for (const std::string& address : addresses) {
    const auto url = HttpUrl::parse(address);
    if (!url)
      throw std::invalid_argument("'" + address +
                                  "' is no address such as http://manager.example:8088");
    found.push_back(url->origin());
  }
  return found;
}

std::set<std::string> hostsOf(const std::vector<std::string>& masters) {
  std::set<std::string> hosts;
  for (const std::string& master : masters)
    for (const std::string& host : standaloneMasters(master)) hosts.insert(host);
  return hosts;
}

ClusterOptions checked(ClusterOptions options) {
  options.resourceManagers = origins(options.resourceManagers);
  options.masterPages = origins(options.masterPages);
  return options;
}

}  // namespace

ClusterFollowers::ClusterFollowers(EventLoop& loop, ClusterOptions options)
    : loop_(loop),
      options_(checked(std::move(options))),
      masters_(hostsOf(options_.masters)),
      http_(std::make_shared<HttpClient>(loop, options_.http)) {}

bool ClusterFollowers::follows(const std::string& master) const {
  if (master == yarn) return true;
  const std::vector<std::string> hosts = standaloneMasters(master);
  if (hosts.empty() || !options_.masterPages.empty()) return !hosts.empty();
  return std::all_of(hosts.begin(), hosts.end(),
                     [this](const std::string& host) { return masters_.count(host) != 0; });
}

std::unique_ptr<FollowedApplication> ClusterFollowers::follow(ApplicationKey key,
                                                              const std::string& master,
                                                              EventLoop::Strand strand,
                                                              Changed changed) {
  return poller(master)->follow(std::move(key), std::move(strand), std::move(changed));
}

std::shared_ptr<ApplicationPoller> ClusterFollowers::poller(const std::string& master) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = pollers_.find(master);
  if (found != pollers_.end()) return found->second;
  // Masters can come from clients. One that is dropped lives on while something is followed there.
  if (pollers_.size() >= mastersKept) pollers_.erase(pollers_.begin());
  const EventLoop::Strand strand = loop_.strand();
  std::shared_ptr<ClusterManager> manager;
  if (master == yarn)
    manager = std::make_shared<YarnManager>(
        strand, http_,
        [named = options_.resourceManagers, folder = options_.hadoopConf] {
          if (!named.empty() || folder.empty()) return named;
          return resourceManagersOf(folder);
        },
        options_.yarnUser);
  else
    manager = std::make_shared<StandaloneManager>(strand, http_, master, options_.masterPages);
  return pollers_[master] =
             std::make_shared<ApplicationPoller>(strand, std::move(manager), options_.times);
}

}  // namespace hearth::host
