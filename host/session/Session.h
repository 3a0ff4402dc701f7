// One session: its interpreters, its queue of statements, its state.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/ClusterFollower.h"
#include "plugin/CallWatch.h"
#include "plugin/Interpreter.h"
#include "plugin/PluginCrashes.h"
#include "plugin/PluginHost.h"
#include "process/FolderWatch.h"
#include "process/LogFile.h"
#include "session/CacheBudget.h"
#include "session/CreateRequest.h"
#include "session/PendingAnswers.h"
#include "session/RecoveryRecord.h"
#include "session/Refusal.h"
#include "session/SessionJournal.h"
#include "session/StatementOutput.h"
#include "session/States.h"
#include "store/DiskFloor.h"
#include "store/Store.h"
#include "support/EventLoop.h"
#include "support/Timer.h"

namespace hearth::host {

class Policy;

struct SessionOptions {
  std::string sharedKind = "spark";  ///< whose driver a session without a kind starts
  std::chrono::milliseconds launchTime{std::chrono::minutes(5)};
  std::chrono::milliseconds queueTime{std::chrono::minutes(30)};  ///< 0: without end
  std::chrono::milliseconds closeTime{std::chrono::seconds(10)};
  std::chrono::milliseconds cancelGrace{std::chrono::seconds(10)};
  bool restartAfterGrace = true;  ///< code that does not stop costs its interpreter
  std::chrono::milliseconds idleTime{
      std::chrono::hours(1)};  ///< 0: never; a request's idleTimeout wins
  std::size_t queuedStatements = 1000;
  std::size_t queuedBytes = 64u << 20;  ///< their code
  std::size_t outputBytes = 1 << 20;    ///< of stdout and of stderr kept per statement
  std::size_t cachedStatements = 128;   ///< finished ones kept in memory per session
  std::size_t cachedBytes = 16u << 20;
  std::size_t cachedTotalBytes = 256u
                                 << 20;  ///< of all sessions: beyond, each keeps its newest one
  std::int64_t keptStatements = 0;       ///< in the store, of a live session; 0: all
};

/// What sessions need from the host. Outlives them.
struct SessionEnvironment {
  EventLoop& loop;
  PluginHost& plugins;
  Store& store;
  SessionOptions options;
  ClusterFollower* clusters = nullptr;     ///< null: applications in clusters are not followed
  Policy* policy = nullptr;                ///< null: everything may be asked for
  DiskFloor* disk = nullptr;               ///< null: without a floor
  CacheBudget* cache = nullptr;            ///< null: sessions are bounded one by one
  CallWatch* watch = nullptr;              ///< null: plugins' calls are not watched
  const PluginCrashes* crashes = nullptr;  ///< null: no plugin is in quarantine
  std::optional<LastCrash> lastCrash;      ///< how the run before this one ended
};

/// Statements run in order, one at a time, over all kinds. Everything that changes the session runs
/// on its strand; reads take a short lock. Public methods may be called on any thread, callbacks
/// run on the strand unless said otherwise.
class Session : public InterpreterOwner, public std::enable_shared_from_this<Session> {
 public:
  using StatementPtr = std::shared_ptr<const StatementRow>;
  using Submitted = std::function<void(StatementPtr, std::optional<Refusal>)>;
  using Answered = std::function<void(std::string json, std::optional<Refusal>)>;
  using Completed = std::function<void(std::vector<std::string>, std::optional<Refusal>)>;
  using Ended = std::function<void(Session&)>;

  Session(SessionEnvironment& environment, SessionRow row, CreateRequest request, Ended ended);
  ~Session() override;

  /// Lets the plugin of the session's kind look at the request, before start(). The callback has
  /// its refusal, if any; then the session is to be dropped.
  using Checked = std::function<void(std::optional<Refusal>)>;
  void check(Checked done);
  /// Lets go of what check() has opened, where start() is not to follow.
  void abandon();
  /// Starts the interpreter of the session's kind. Once, after the session's row is durable.
  void start();
  /// Instead of these: takes up a session that an earlier run of the host has left, with its open
  /// statements in order of id and the number of the next one. When it returns, its driver is
  /// known to the link server. Throws where it cannot be taken up.
  void takeUp(std::vector<StatementRow> open, const StatementSpan& all);
  /// Which call of its plugin's does not return; empty where none hangs. Clients are answered all
  /// the same: what needs the plugin is refused, an end gives the session up.
  std::string hanging() const;
  /// It has ended for everybody but its plugin, which has it until the call returns.
  bool givenUp() const { return givenUp_; }
  /// Refuses new statements; the callback comes when none runs or waits any more, or it is over.
  void drain(std::function<void()> rested);
  /// Lets go of it for the next run of the host, which takes up what can be: else it ends now.
  void detach(const std::string& reason);

  std::int64_t id() const { return id_; }
  const CreateRequest& request() const { return request_; }
  SessionRow row() const;
  SessionState state() const;
  LogFile& log() { return *log_; }
  /// What happens in it; closed once it has ended and its last row is visible.
  SessionJournal& journal() { return journal_; }
  /// Has the journal touched whenever the log grows, while the handle is held. Null where the
  /// system refuses.
  FolderWatch::Handle followLog(FolderWatch& folders);
  /// Ended: all of it is in the store and this object is about to go.
  bool ended() const;
  std::int64_t statementCount() const;
  /// From memory; null for one that is not there or was moved to the store.
  StatementPtr statement(std::int64_t id) const;

  /// Any request that names the session feeds its heartbeat.
  void heartbeat();
  /// Puts the idle time off, as running code does.
  void touch();
  /// `kind` empty: the session's. The callback comes once the statement is durable, or is refused.
  /// `optionsJson` is empty or an object for the plugin.
  void submit(std::string code, std::string kind, std::string optionsJson, Submitted done);
  /// The callback says whether there was something to stop.
  void cancel(std::int64_t statement, std::function<void(bool)> done);
  /// Cancels the running statement, if any.
  void interrupt(std::function<void(bool)> done);
  void complete(std::string kind, std::string code, std::uint64_t cursor, Completed done);
  /// What is known of the name at `cursor` (code points): {"found":bool,"data":{mime:value}}.
  void inspect(std::string kind, std::string code, std::uint64_t cursor, int detail, Answered done);
  /// The data that the session's languages share: {"items":[..]}.
  void sharedData(Answered done);
  /// What the statement shows while it runs; null for one that has ended.
  std::shared_ptr<StatementOutput> output(std::int64_t id) const;
  struct Standing {
    std::string state;  ///< empty: no longer in memory
    double progress = 0;
  };
  Standing standing(std::int64_t statement) const;
  struct Wait {
    std::chrono::milliseconds time;   ///< at most
    std::function<void()> done;       ///< the callback
    std::function<bool()> abandoned;  ///< nobody waits any more: the callback may be left out
  };
  /// Calls back when the statement is final, the session has ended, or the time is over.
  void waitStatement(std::int64_t statement, Wait wait);
  /// Calls back when the state is settled (not starting, recovering or shutting down), or the time
  /// is over.
  void waitState(Wait wait);
  /// Ends it; `deleted` hides it from Livy's routes. The callback comes once the end is durable.
  /// Twice is no error.
  void end(SessionState finalState, std::string reason, bool deleted, std::function<void()> done);

 private:
  enum class Phase { none, waitingForLeader, launching, ready, closing };
  struct Slot {
    std::string kind;
    PluginInstancePtr
        instance;  // from its first use on: what has been replaced serves it to its end
    std::shared_ptr<Interpreter> interpreter;
    Phase phase = Phase::none;
    bool losing = false;           // it lost a statement; what became of it is about to be told
    std::unique_ptr<Timer> timer;  // launch, loss or close
    bool killed = false;           // the close timer has fired once
    std::string failure;           // why it closes, when it failed
    // Of a driver's slot, anew at each start: by what a cluster knows its application, the
    // follower once the plugin has said that there is one, and what was told last.
    std::string tag;
    std::unique_ptr<FollowedApplication> application;
    std::optional<ApplicationReport> report;
  };
  enum class ClusterEnd { untold, awaited, forced, over };
  struct Waiter {
    std::int64_t statement = -1;  // -1: the session's state
    Wait wait;
    std::unique_ptr<Timer> timer;
  };

  // InterpreterOwner
  void onState(Interpreter&, std::int32_t state, std::string detailJson) override;
  void onOutput(Interpreter&, std::uint64_t statement, int stream, std::string text,
                std::uint64_t frame) override;
  void onDisplay(Interpreter&, std::uint64_t statement, std::string bundle,
                 std::uint64_t frame) override;
  void onDisplayChange(Interpreter&, std::uint64_t statement, std::uint64_t index,
                       std::string bundle, std::uint64_t frame) override;
  void onProgress(Interpreter&, std::uint64_t statement, double fraction) override;
  void onDone(Interpreter&, std::uint64_t statement, std::int32_t outcome,
              std::string bundle) override;
  void onReply(Interpreter&, std::uint64_t request, hearth_status status,
               std::string json) override;
  void onSave(Interpreter&, std::string blob) override;

  template <typename Work>
  void post(Work work);
  void setState(SessionState state, const std::string& reason);
  void refreshState();
  void saveRow(Store::Done done);
  void noteInLog(const std::string& text);

  /// With its instance, if there is one: whatever the limits say.
  Slot& slot(const std::string& kind);
  /// The kind that a word stands for here; empty: none.
  std::string canonicalKind(const std::string& kindOrAlias) const;
  PluginInstancePtr instanceOf(const std::string& kind) const;
  /// Gives a kind, and its leader, an instance. Throws Refusal: nobody serves it, or a limit.
  void bind(const std::string& kind);
  void bound(const Slot& slot);
  std::string notServed(const std::string& kind) const;
  Slot* slotOf(const Interpreter& interpreter);
  std::string mainKind() const;
  bool carriesSession(const Slot& slot);
  void ensure(Slot& slot);
  void askLeader(const std::string& leader);
  void checkNow(const Checked& done);
  void open(Slot& slot, const std::string& driverJson);
  void openAndLaunch(Slot& slot, const std::string& driverJson);
  void armLaunchTimer(Slot& slot, std::chrono::milliseconds time, const std::string& waitsFor);
  void waits(Slot& slot, const std::string& reason);
  void ready(Slot& slot);
  void failed(Slot& slot, bool dead, const std::string& reason);
  void startFailed(Slot& slot, const std::string& reason);
  void expectEnd(Slot& slot);
  void retire(Slot& slot, std::int32_t mode);
  void closed(Slot& slot);
  /// Merges what a plugin tells of its application into the row; returns its "reason".
  std::string mergeDetail(const std::string& detailJson);

  // While a call hangs: SessionHangs.cpp. [any thread, but for leave()]
  void callHangs(const std::string& why);
  PendingAnswers::TicketPtr refusable(Submitted done);
  PendingAnswers::TicketPtr refusable(Answered done);
  PendingAnswers::TicketPtr refusable(Completed done);
  PendingAnswers::TicketPtr refusable(Checked done);
  PendingAnswers::TicketPtr refusable(std::function<void(bool)> done);
  Wait refusable(Wait wait);
  void killProcesses();
  bool letGoWhileHanging();
  void giveUp(SessionState finalState, const std::string& reason, bool deleted,
              std::function<void()> done);
  void leave();

  // Across runs of the host: SessionRecovery.cpp.
  std::string startedAnew() const;
  void makeLink();
  void loadStatements(std::vector<StatementRow> open, const StatementSpan& all);
  void recoverNow(bool launched, SessionState before);
  void launched(Slot& slot);
  void resumeRunning(Slot& slot);
  void loseRunning(const std::string& reason);
  void admitDriver();
  bool isRecoverable() const;
  void keepRecord();
  void forgetRecord(const std::string& kind);
  void detachNow(const std::string& reason);
  void finishDetach();

  // The application in a cluster: SessionCluster.cpp.
  void followApplication(Slot& slot, const std::string& detailJson);
  void applicationTold(const std::string& kind, const std::string& tag,
                       const ApplicationReport& report);
  void keepWhereabouts(const ApplicationReport& report);
  bool askCluster(Slot& dead, const std::string& reason);
  void letApplicationGo(Slot& slot);
  bool applicationsGone();
  void endApplications(ClusterEnd step);

  /// Puts a question to the interpreter of `kind`, which `put` makes; `fallback` is the answer
  /// where there is none, or none in time.
  void ask(const std::string& kind, bool (Interpreter::*able)() const, std::string fallback,
           const std::function<void(Interpreter&, std::uint64_t request)>& put, Answered done);
  void askSlot(Slot& of, std::string fallback,
               const std::function<void(Interpreter&, std::uint64_t request)>& put, Answered done);
  bool answerQuestion(std::uint64_t request, hearth_status status, std::string& json);
  void refuseQuestions();

  void accept(std::string code, const std::string& kind, std::string optionsJson,
              const PendingAnswers::TicketPtr& ticket, Submitted done);
  void enqueue(const std::shared_ptr<StatementRow>& row, const std::string& storeError,
               const PendingAnswers::TicketPtr& ticket, const Submitted& done);
  void pump();
  void pumpSoon();
  void run(std::int64_t statement);
  void give(const std::shared_ptr<StatementRow>& row, const std::string& storeError);
  /// Stores the end of a statement; clients see it, and `then` is called, once it is durable.
  void finish(std::int64_t statement, StatementState state, const std::string& outcome,
              std::string bundle, std::function<void()> then = nullptr);
  void touchOutput(std::int64_t id) const;
  void tell(const StatementRow& row);
  void settle(const std::shared_ptr<StatementRow>& final, const std::string& storeError);
  /// Nothing runs, waits or is about to be told.
  bool resting() const { return !running_ && queue_.empty() && settling_.empty(); }
  void cancelNow(std::int64_t statement, const std::function<void(bool)>& done);
  void stopRunning(std::int64_t statement);
  void graceOver(std::int64_t statement);
  void evict();
  void trim();
  void wake(std::int64_t statement);
  void addWaiter(std::int64_t statement, Wait wait);
  void answer(Waiter& waiter);

  void tellRest();
  void endNow(SessionState finalState, const std::string& reason, bool deleted,
              std::function<void()> done);
  void finishEnd();
  void tellEnd(std::int64_t endedAt);
  void hideIfDeleted();
  void armLifeTimer();
  void checkLife();

  SessionEnvironment& environment_;
  const std::int64_t id_;
  const CreateRequest request_;
  const std::string kind_;  // canonical; "shared" without one
  EventLoop::Strand strand_;
  RecoveryRecord recovery_;         // on the strand
  std::set<std::string> takingUp_;  // kinds in it that are not launched yet
  std::string work_;                // private folder
  std::shared_ptr<LogFile> log_;
  SessionJournal journal_;
  std::shared_ptr<DriverLink> link_;
  Ended ended_;
  PendingAnswers pending_;
  const std::shared_ptr<SessionProcesses> processes_ = std::make_shared<SessionProcesses>();
  PendingAnswers::TicketPtr leaving_;  // kept until it is gone
  std::atomic<bool> givenUp_{false};   // its end is told; what its plugin still says is not

  mutable std::mutex mutex_;  // guards the seven below for readers; written on the strand only
  SessionRow row_;
  SessionState state_ = SessionState::starting;
  std::map<std::int64_t, std::shared_ptr<StatementRow>> statements_;
  std::map<std::int64_t, std::shared_ptr<StatementOutput>> outputs_;  // of those not ended
  std::int64_t nextStatement_ = 0;
  std::int64_t firstStatement_ = 0;  // older ones were removed
  std::weak_ptr<void> logWatch_;     // any thread, under mutex_

  std::map<std::string, Slot> slots_;
  std::map<const PluginInstance*, PluginHost::Hold> holds_;  // of those in the slots
  std::deque<std::int64_t> queue_;
  std::size_t accepting_ = 0;  // on their way to the queue, until they are durable
  std::size_t openBytes_ = 0;  // code of all statements that are not final
  std::optional<std::int64_t> running_;
  std::string runningKind_;
  bool given_ = false;  // its interpreter has taken it
  std::unique_ptr<Timer> graceTimer_;
  std::set<std::int64_t> settling_;    // ended, not durable yet
  std::deque<std::int64_t> finished_;  // durable and in memory, oldest first
  CacheBudget::Share finishedBytes_;
  std::vector<std::shared_ptr<Waiter>> waiters_;
  std::size_t sweepAt_ = 64;  // so many waiters are looked through for those who hung up
  std::map<std::uint64_t, std::string> exports_;  // export request: leader's kind
  struct Question {
    std::string fallback;
    Answered done;
    std::unique_ptr<Timer> timer;
  };
  std::map<std::uint64_t, Question> questions_;  // put to an interpreter, not answered yet
  std::uint64_t nextRequest_ = 1;                // never one of an earlier run
  bool settledOnce_ = false;                     // the first interpreter has been ready
  std::string lossReason_;  // while an interpreter is released: what its open statements are told

  std::optional<std::string> deadReason_;  // the driver is gone; why, the cluster is asked
  std::unique_ptr<Timer> verdictTimer_;
  ClusterEnd clusterEnd_ = ClusterEnd::untold;
  std::unique_ptr<Timer> clusterTimer_;
  std::chrono::steady_clock::time_point endingSince_;

  bool detaching_ = false;  // ends for this run of the host only
  bool ending_ = false;
  bool endStored_ = false;  // its last row is with the store
  bool deleteAtEnd_ = false;
  SessionState finalState_ = SessionState::dead;
  std::vector<std::function<void()>> endCallbacks_;
  bool draining_ = false;
  std::vector<std::function<void()>> restCallbacks_;

  Timer lifeTimer_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point lastActivity_;
  std::atomic<std::chrono::steady_clock::rep> lastHeartbeat_;
  std::optional<std::chrono::milliseconds> idleTime_, ttl_, heartbeatTime_;
};

}  // namespace hearth::host
