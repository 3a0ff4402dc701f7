// What becomes of an application, by the word of the cluster that runs it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "support/EventLoop.h"

namespace hearth::host {

/// What the cluster says of one application. Empty texts: it says nothing, or not yet.
struct ApplicationReport {
  enum class State { starting, running, finished, failed, killed };
  State state = State::starting;
  std::string applicationId;
  std::string driverLogUrl;
  std::string sparkUiUrl;
  std::string diagnostics;  ///< lines for the application's log

  bool final() const { return state != State::starting && state != State::running; }
};

/// By what an application is known: one of the two is enough.
struct ApplicationKey {
  std::string tag;            ///< unique, given to it when it was submitted (spark.yarn.tags)
  std::string applicationId;  ///< or the driver's id, on a standalone cluster
};

/// One application that is followed. Destroying it ends the following, not the application; no
/// callback runs afterwards (off the strand it waits for one that is running).
class FollowedApplication {
 public:
  virtual ~FollowedApplication() = default;
  /// What was learned later of it, such as its id in the log of spark-submit.
  virtual void know(const ApplicationKey& key) = 0;
  /// The process that submits it has ended: an application that has not been seen by then, and is
  /// not within a time of the follower's own, is reported as failed.
  virtual void submitted() = 0;
  /// Ends the application as soon as it is seen, also after this object is gone. The report that
  /// it is over comes as any other.
  virtual void kill() = 0;
};

/// Follows applications on one kind of cluster, with as few requests as it takes. Thread-safe.
class ClusterFollower {
 public:
  using Changed = std::function<void(const ApplicationReport&)>;

  virtual ~ClusterFollower() = default;
  /// Whether applications with this `master` (yarn, spark://..) are followed here.
  virtual bool follows(const std::string& master) const = 0;
  /// `changed` runs on `strand`, at each change and once with a final state, the last.
  virtual std::unique_ptr<FollowedApplication> follow(ApplicationKey key, const std::string& master,
                                                      EventLoop::Strand strand,
                                                      Changed changed) = 0;
};

}  // namespace hearth::host
