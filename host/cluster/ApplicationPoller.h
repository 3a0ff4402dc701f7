// Follows the applications of one cluster: all of them with one list per period, none without need.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/ClusterFollower.h"
#include "cluster/ClusterManager.h"
#include "support/Gate.h"
#include "support/Timer.h"

namespace hearth::host {

struct PollTimes {
  std::chrono::milliseconds poll{1000};                                 ///< between two lists
  std::chrono::milliseconds pollAfterErrors{std::chrono::seconds(15)};  ///< grows up to this
  /// An application that was submitted and is in no list this long has failed.
  std::chrono::milliseconds lookup{std::chrono::minutes(2)};
  /// One whose end is wanted is looked for this long: it may come late, from a submission that
  /// nobody waits for any more. Six times as long where the manager does not answer.
  std::chrono::milliseconds leak{std::chrono::minutes(10)};
};

/// Time counts only while the manager answers: nothing is lost because nobody could be asked.
/// Public methods are thread-safe.
class ApplicationPoller : public std::enable_shared_from_this<ApplicationPoller> {
 public:
  /// `manager` lives on `strand`.
  ApplicationPoller(EventLoop::Strand strand, std::shared_ptr<ClusterManager> manager,
                    PollTimes times);

  std::unique_ptr<FollowedApplication> follow(ApplicationKey key, EventLoop::Strand strand,
                                              ClusterFollower::Changed changed);

 private:
  class Handle;
  using Id = std::uint64_t;
  using Told = Gate<ClusterFollower::Changed>;
  using Clock = std::chrono::steady_clock;

  struct Entry {
    ApplicationKey key;
    std::shared_ptr<Told> told;  // null: nobody listens any more
    std::optional<ApplicationReport> last;
    bool submitted = false;
    bool doomed = false;
    bool killing = false;                  // a request for its end is under way
    std::optional<std::string> killError;  // what came of the last one
    std::uint64_t askedSince = 0;          // the first round that knows of submitted() and kill()
    std::chrono::milliseconds unseen{0};   // for how long lists have been without it
    Clock::time_point doomedAt{};
  };

  void add(Id id, Entry entry);
  void drop(Id id);
  void change(Id id, const std::function<void(Entry&)>& how);
  void arm(std::chrono::milliseconds time);
  void armSoon();
  void poll();
  void listed(std::uint64_t round, const std::string& error,
              const std::vector<SeenApplication>& seen);
  /// False where nothing is to be expected of the entry any more.
  bool look(Entry& entry, const std::vector<SeenApplication>& seen,
            std::chrono::milliseconds passed, std::uint64_t round);
  bool unseen(Entry& entry, std::chrono::milliseconds passed, std::uint64_t round);
  bool giveUp(const Entry& entry) const;
  static void doom(Entry& entry);
  void end(Entry& entry, const std::string& applicationId);
  void tell(Entry& entry, const ApplicationReport& report);

  const EventLoop::Strand strand_;
  const std::shared_ptr<ClusterManager> manager_;
  const PollTimes times_;
  std::map<Id, Entry> entries_;
  Timer timer_;
  bool armed_ = false;
  bool polling_ = false;
  bool again_ = false;  // something has changed while a list was on its way
  std::uint64_t round_ = 0;
  unsigned errors_ = 0;           // in a row
  Clock::time_point lastAnswer_;  // while errors_ is 0 and something is followed
};

}  // namespace hearth::host
