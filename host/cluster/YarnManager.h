// YARN's ResourceManagers, of which one is active.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/ClusterManager.h"
#include "cluster/HttpClient.h"

namespace hearth::host {

/// Tries the ResourceManagers in turn, beginning with the one that answered last. A standby sends
/// to the active one, also when that is none of the list.
class YarnManager : public ClusterManager, public std::enable_shared_from_this<YarnManager> {
 public:
  /// `addresses` is asked again each time that nobody has answered: what is configured may have
  /// changed. It may throw. `user` is told to a ResourceManager without Kerberos; empty: none.
  using Addresses = std::function<std::vector<std::string>()>;
  YarnManager(EventLoop::Strand strand, std::shared_ptr<HttpClient> http, Addresses addresses,
              std::string user);

  const std::string& name() const override { return name_; }
  bool findable(const ApplicationKey&) const override { return true; }
  /// One request for all that have a tag, and as many more as the length of an address makes
  /// necessary; one each for those that have none.
  void list(const std::vector<ApplicationKey>& keys, Listed done) override;
  void kill(const std::string& applicationId, Killed done) override;

 private:
  struct Round;
  using Answered = std::function<void(HttpAnswer)>;

  void next(const std::shared_ptr<Round>& round);
  /// `question.url` is a path; `errors` is what those before have said.
  void ask(const HttpQuestion& question, const Answered& done);
  void askNext(const HttpQuestion& question, std::deque<std::string> untried, std::string errors,
               const Answered& done);
  void prefer(const std::string& origin);

  const std::string name_ = "YARN";
  const EventLoop::Strand strand_;
  const std::shared_ptr<HttpClient> http_;
  const Addresses addresses_;
  const std::string user_;
  std::vector<std::string> known_;  // the one that answered last is the first
};

}  // namespace hearth::host
