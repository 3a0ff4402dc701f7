// What both faces do with sessions and statements, apart from how the answer looks.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "http/Message.h"
#include "session/SessionManager.h"

namespace hearth::host {

/// Handlers get the exchange back and write the answer themselves; refusals are answered here. All
/// callbacks run in guarded(). Used on any thread.
class SessionCalls {
 public:
  using Show = std::function<void(const ExchangePtr&, const SessionView&)>;
  using ShowCreated = std::function<void(const ExchangePtr&, const SessionView&, bool replayed)>;
  using ShowStatement =
      std::function<void(const ExchangePtr&, const SessionView&, const StatementRow&)>;
  using Plain = std::function<void(const ExchangePtr&)>;

  /// `withDeleted`: deleted sessions are shown too. `longestWait` bounds ?wait=.
  SessionCalls(SessionManager& manager, bool withDeleted, std::chrono::milliseconds longestWait);

  SessionManager& manager() const { return manager_; }
  SessionView find(const std::string& idOrName) const;

  void create(const ExchangePtr& exchange, ShowCreated show) const;  ///< waits as ?wait= says
  void get(const ExchangePtr& exchange, const std::string& id, Show show) const;  ///< likewise
  void end(const ExchangePtr& exchange, const std::string& id, const std::string& reason,
           bool deleted, Plain show) const;
  void submit(const ExchangePtr& exchange, const std::string& id, ShowStatement show) const;
  void getStatement(const ExchangePtr& exchange, const std::string& id,
                    const std::string& statement, ShowStatement show) const;
  /// `show` gets whether something was there to be stopped.
  void cancel(const ExchangePtr& exchange, const std::string& id, const std::string& statement,
              std::function<void(const ExchangePtr&, bool)> show) const;
  void interrupt(const ExchangePtr& exchange, const std::string& id,
                 std::function<void(const ExchangePtr&, bool)> show) const;
  void complete(const ExchangePtr& exchange, const std::string& id) const;
  void inspect(const ExchangePtr& exchange, const std::string& id) const;
  void sharedData(const ExchangePtr& exchange, const std::string& id) const;
  void log(const ExchangePtr& exchange, const std::string& id) const;

 private:
  SessionManager& manager_;
  bool withDeleted_;
  std::chrono::milliseconds longestWait_;
};

}  // namespace hearth::host
