// One batch: its application, its state, its end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "batch/ApplicationLog.h"
#include "batch/BatchApplication.h"
#include "batch/BatchRequest.h"
#include "batch/BatchStates.h"
#include "batch/Supervisor.h"
#include "cluster/ClusterFollower.h"
#include "process/FolderWatch.h"
#include "process/LogFile.h"
#include "process/Process.h"
#include "session/Refusal.h"
#include "store/DiskFloor.h"
#include "store/Store.h"
#include "support/EventLoop.h"
#include "support/Timer.h"
#include "support/Waiters.h"

namespace hearth::host {

class Policy;

struct BatchOptions {
  SparkOptions spark;
  std::size_t concurrent = 8;  ///< applications that are submitted from, or run on, this host
  std::size_t queue = 1000;    ///< batches that may wait for their turn
  std::chrono::milliseconds killGrace{std::chrono::seconds(10)};
  /// How long a cluster may take to tell the end of an application whose driver has ended here.
  std::chrono::milliseconds reportTime{std::chrono::seconds(30)};
  bool killOnShutdown = false;
  std::string supervisor;  ///< the program hearth-supervise
};

/// What batches need from the host. Outlives them.
struct BatchEnvironment {
  EventLoop& loop;
  Launcher& launcher;
  Store& store;
  BatchOptions options;
  ClusterFollower* clusters = nullptr;  ///< null: applications in clusters are not followed
  Policy* policy = nullptr;             ///< null: everything may be asked for
  DiskFloor* disk = nullptr;            ///< null: without a floor
  FolderWatch* folders = nullptr;       ///< null: ids that only logs tell are known at the end
};

/// Everything that changes the batch runs on its strand; reads take a short lock. Public methods
/// may be called on any thread, callbacks run on the strand.
class Batch : public std::enable_shared_from_this<Batch> {
 public:
  struct Hooks {
    std::function<void(Batch&)> released;  ///< its place is free; once, where it had one
    std::function<void(Batch&)> requeue;   ///< the host died before it was submitted
    std::function<void(Batch&)> ended;     ///< its end is durable
  };

  Batch(BatchEnvironment& environment, BatchRow row, BatchRequest request, Hooks hooks);
  ~Batch();

  /// Submits the application: its turn has come, and it holds a place.
  void submit();
  /// Finds out what became of it while the host was away. It holds a place.
  void takeUp();
  /// Ends the application; `deleted` hides it from Livy's routes. The callback comes once the end
  /// is durable. Twice is no error.
  void end(const std::string& reason, bool deleted, std::function<void()> done);
  /// Calls back when it has ended, or the time is over.
  void wait(Wait wait);

  std::int64_t id() const { return id_; }
  const BatchRequest& request() const { return request_; }
  BatchRow row() const;
  BatchState state() const;
  LogFile& log() { return log_; }
  const std::string& user() const { return user_; }
  /// What its output tells so far of a running application.
  ApplicationLog::Found found();

 private:
  template <typename Work>
  void post(Work work);
  void setState(BatchState state, const std::string& reason);
  void saveRow(Store::Done done);
  void start();
  BatchApplication application();
  void startProcess();
  void takeUpNow();
  void follow();
  bool isFollowed() const;
  bool standalone() const;
  ApplicationKey key(const std::string& id) const;
  void killApplication();
  void followLog();
  void learnId();
  void onReport(const ApplicationReport& report);
  void endLeftDriver(ApplicationReport::State state);
  void signalDriver();
  void onProcessEnd();
  void processEnded(const ApplicationEnd& end);
  void endNow(const std::string& reason, bool deleted, std::function<void()> done);
  void finish(BatchState state, const std::string& reason, std::int64_t millis);
  void tellEnd(BatchState state, const BatchRow& stored);
  void remember(const ApplicationReport& report);
  void releasePlace();
  void noteInLog(const std::string& text);

  BatchEnvironment& environment_;
  const std::int64_t id_;
  const BatchRequest request_;
  const std::string user_;  // for whom it takes its turn
  EventLoop::Strand strand_;
  SupervisedFolder folder_;
  LogFile log_;
  ApplicationLog output_;
  const Hooks hooks_;

  mutable std::mutex mutex_;  // guards the two below for readers; written on the strand only
  BatchRow row_;
  BatchState state_;

  bool place_ = false;
  bool ending_ = false;
  bool finished_ = false;  // its last row is with the store
  std::string master_;     // that it is submitted to
  bool cluster_ = false;   // the driver is the cluster's
  std::shared_ptr<Process> process_;
  std::shared_ptr<ForeignProcess> foreign_;
  std::optional<ApplicationEnd> processEnd_;
  std::unique_ptr<FollowedApplication> followed_;
  FolderWatch::Handle logWatch_;
  std::optional<ApplicationReport> report_;
  Timer reportTimer_;
  Waiters waiters_;
  std::vector<std::function<void()>> endCallbacks_;
};

}  // namespace hearth::host
