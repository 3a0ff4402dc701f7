#include "support/Waiters.h"

#include <algorithm>
#include <utility>

#include "support/Timer.h"

namespace hearth::host {

struct Waiters::Waiter {
  Wait wait;
  std::unique_ptr<Timer> timer;
};

struct Waiters::List {
  std::vector<std::shared_ptr<Waiter>> waiters;
  std::size_t sweepAt = 64;  // so many are looked through for those who hung up
};

Waiters::Waiters(const EventLoop::Strand& strand)
    : strand_(strand), list_(std::make_shared<List>()) {}

Waiters::~Waiters() = default;

void Waiters::add(Wait wait) {
  // Nobody tells when a client hangs up: looking through them each time they have doubled keeps
  // their number in proportion to those who do wait.
  auto& all = list_->waiters;
  if (all.size() >= list_->sweepAt) {
    all.erase(std::remove_if(all.begin(), all.end(),
                             [](const auto& waiter) { return waiter->wait.abandoned(); }),
              all.end());
    list_->sweepAt = std::max<std::size_t>(64, 2 * all.size());
  }
  auto waiter = std::make_shared<Waiter>();
  const auto time = wait.time;
  waiter->wait = std::move(wait);
  waiter->timer = std::make_unique<Timer>(
      strand_, time, [weakList = std::weak_ptr<List>(list_), weak = std::weak_ptr<Waiter>(waiter)] {
        const auto list = weakList.lock();
        const auto over = weak.lock();
        if (!list || !over) return;
        const auto found = std::find(list->waiters.begin(), list->waiters.end(), over);
        if (found == list->waiters.end()) return;
        list->waiters.erase(found);
        over->wait.done();
      });
  all.push_back(std::move(waiter));
}

void Waiters::wakeAll() {
  for (const auto& waiter : std::exchange(list_->waiters, {})) {
    waiter->timer->cancel();
    waiter->wait.done();
  }
}

}  // namespace hearth::host
