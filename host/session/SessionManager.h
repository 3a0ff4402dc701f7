// All sessions: those that live, and those that only the store knows.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "policy/UsageLedger.h"
#include "session/KeyedCreation.h"
#include "session/Session.h"

namespace hearth::host {

/// A session as clients see it, live or ended.
struct SessionView {
  SessionRow row;
  std::shared_ptr<Session> live;  ///< null once it has ended
};

/// Thread-safe. Reads throw StoreError where the store cannot be read.
class SessionManager {
 public:
  struct Result {
    SessionView view;
    bool replayed = false;  ///< made by an earlier request with the same idempotency key
    std::optional<Refusal> refusal;
  };
  using Created = std::function<void(const Result&)>;

  struct Limits {
    std::size_t sessions = 200;  ///< live at once
  };

  /// `folder` is where sessions keep their logs, one folder each.
  SessionManager(SessionEnvironment environment, std::string folder, Limits limits);
  ~SessionManager();  ///< shutdown() must have been called

  /// Takes up the sessions that an earlier run of the host has left open, and their drivers; what
  /// cannot be taken up is dead, its open statements lost. Once, before drivers and requests are
  /// let in.
  void recover();

  /// Checks kind, name and policy, makes the session durable, starts it. The callback runs on any
  /// thread. `idempotencyKey` is empty, or makes one session of all requests that the owner sends
  /// with it.
  void create(CreateRequest request, const std::string& owner, const std::string& idempotencyKey,
              Created done);

  /// For those who follow sessions' logs.
  FolderWatch& folders() { return folders_; }

  /// By id (digits) or name. Throws Refusal (noSession), with Livy's text. `withDeleted`: also
  /// sessions that a client has deleted. Feeds the heartbeat.
  SessionView find(const std::string& idOrName, bool withDeleted) const;
  struct Page {
    std::int64_t total = 0;
    std::vector<SessionView> sessions;
  };
  Page list(std::int64_t from, std::int64_t size, bool withDeleted) const;

  /// One statement, from memory or store. Throws Refusal (noStatement).
  Session::StatementPtr statement(const SessionView& view, std::int64_t id) const;
  struct StatementPage {
    std::int64_t total = 0;
    std::vector<Session::StatementPtr> statements;
  };
  /// At most as many as asked for: a page ends early at 64 MiB of code and results.
  StatementPage statements(const SessionView& view, std::int64_t from, std::int64_t size,
                           bool descending) const;

  /// Hides an ended session from Livy's routes, as a client asked; `done` once that is durable.
  void hide(SessionRow row, Store::Done done);

  std::size_t liveCount() const;
  /// From now on.
  void setLimits(Limits limits);
  /// Refuses new sessions and statements; `rested` is called once, on any thread, when no code runs
  /// or waits any more.
  void drain(std::function<void()> rested);
  enum class Stop {
    end,    ///< all sessions
    detach  ///< those that the next run of the host cannot take up
  };
  /// Refuses new sessions, lets go of all, waits for that at most `time`.
  void shutdown(Stop how, std::chrono::milliseconds time);
  /// Whether plugins still have sessions: then nothing that these may use is to be destroyed.
  bool lingers() const;

 private:
  using Keys = KeyedCreation<Result>;

  std::vector<const InstanceRules*> rulesFor(const PluginCatalog& catalog,
                                             const std::string& kind) const;
  void add(CreateRequest request, const std::string& owner, const std::string& key,
           const std::string& digest, Created done);
  std::string whyHangs(const std::string& kind) const;
  void takeUp(const SessionRow& row);
  void bury(SessionRow row, const std::string& reason);
  void retire(Session& session);
  void watchOver(const std::shared_ptr<Session>& session);
  void drop(Session& session);

  CacheBudget cache_;
  SessionEnvironment environment_;
  FolderWatch folders_;
  std::string folder_;
  Limits limits_;
  Keys keys_;
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::map<std::int64_t, std::shared_ptr<Session>> live_;
  std::map<std::string, std::int64_t> names_;          // of live sessions
  std::map<std::int64_t, UsageLedger::Lease> leases_;  // likewise
  std::vector<std::weak_ptr<Session>> lingering_;      // let go of before their plugin has
  bool stopping_ = false;
};

}  // namespace hearth::host
