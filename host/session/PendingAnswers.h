// Clients that wait for a session's strand, which a plugin may hold for ever.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace hearth::host {

/// Each answer is given once: by the strand, or, once a call of the session's hangs, without it.
/// Thread-safe.
class PendingAnswers {
 public:
  /// Answers for the strand; `why` says what hangs. On any thread.
  using Refuse = std::function<void(const std::string& why)>;

  class Ticket {
   public:
    explicit Ticket(Refuse refuse) : refuse_(std::move(refuse)) {}
    /// True for one caller: who gets it answers.
    bool take() { return !taken_.exchange(true); }
    bool taken() const { return taken_; }

   private:
    friend class PendingAnswers;
    std::atomic<bool> taken_{false};
    const Refuse refuse_;
  };
  using TicketPtr = std::shared_ptr<Ticket>;

  /// Refused already where a call hangs, unless `anyway`.
  TicketPtr add(Refuse refuse, bool anyway = false) {
    auto ticket = std::make_shared<Ticket>(std::move(refuse));
    std::string why;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (why_.empty() || anyway) {
        if (tickets_.size() >= sweepAt_) {
          tickets_.erase(std::remove_if(tickets_.begin(), tickets_.end(),
                                        [](const auto& weak) {
                                          const TicketPtr old = weak.lock();
                                          return !old || old->taken();
                                        }),
                         tickets_.end());
          sweepAt_ = std::max<std::size_t>(64, 2 * tickets_.size());
        }
        tickets_.push_back(ticket);
        return ticket;
      }
      why = why_;
    }
    tell(*ticket, why);
    return ticket;
  }

  /// A callback that answers unless that was done without it.
  template <typename... Arguments>
  static std::function<void(Arguments...)> with(const TicketPtr& ticket,
                                                std::function<void(Arguments...)> done) {
    return [ticket, done = std::move(done)](Arguments... arguments) {
      if (ticket->take()) done(std::forward<Arguments>(arguments)...);
    };
  }

  /// Refuses all that wait, and those to come; empty: none of those to come any more.
  void hang(const std::string& why) {
    std::vector<std::weak_ptr<Ticket>> all;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      why_ = why;
      if (!why.empty()) all.swap(tickets_);
    }
    for (const auto& weak : all)
      if (const TicketPtr ticket = weak.lock()) tell(*ticket, why);
  }

  std::string why() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return why_;
  }

 private:
  static void tell(Ticket& ticket, const std::string& why) {
    if (ticket.take()) ticket.refuse_(why);
  }

  mutable std::mutex mutex_;
  std::string why_;
  std::size_t sweepAt_ = 64;
  std::vector<std::weak_ptr<Ticket>> tickets_;
};

}  // namespace hearth::host
