#include "cluster/ApplicationPoller.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

using std::chrono::milliseconds;

namespace {

bool same(const ApplicationReport& one, const ApplicationReport& other) {
  return one.state == other.state && one.applicationId == other.applicationId &&
         one.driverLogUrl == other.driverLogUrl && one.sparkUiUrl == other.sparkUiUrl &&
         one.diagnostics == other.diagnostics;
}

std::string named(const ApplicationKey& key) {
  return key.applicationId.empty() ? "with the tag " + key.tag : key.applicationId;
}

std::string inSeconds(milliseconds time) {
  return std::to_string(time.count() / 1000) + " s";
}

}  // namespace

class ApplicationPoller::Handle : public FollowedApplication {
 public:
  Handle(std::shared_ptr<ApplicationPoller> poller, Id id, std::shared_ptr<Told> told)
      : poller_(std::move(poller)), id_(id), told_(std::move(told)) {}
  ~Handle() override {
    told_->shut();
    post([](ApplicationPoller& poller, Id id) { poller.drop(id); });
  }
  void know(const ApplicationKey& key) override {
    change([key](Entry& entry) {
      if (!key.tag.empty()) entry.key.tag = key.tag;
      if (!key.applicationId.empty()) entry.key.applicationId = key.applicationId;
    });
  }
  void submitted() override {
    change([](Entry& entry) { entry.submitted = true; });
  }
  void kill() override {
    change([](Entry& entry) { doom(entry); });
  }

 private:
  template <typename Work>
  void post(Work work) {
    EventLoop::post(poller_->strand_, [poller = poller_, id = id_, work] { work(*poller, id); });
  }
  void change(const std::function<void(Entry&)>& how) {
    post([how](ApplicationPoller& poller, Id id) { poller.change(id, how); });
  }

  const std::shared_ptr<ApplicationPoller> poller_;
  const Id id_;
  const std::shared_ptr<Told> told_;
};

ApplicationPoller::ApplicationPoller(EventLoop::Strand strand,
                                     std::shared_ptr<ClusterManager> manager, PollTimes times)
    : strand_(std::move(strand)), manager_(std::move(manager)), times_(times), timer_(strand_) {}

std::unique_ptr<FollowedApplication> ApplicationPoller::follow(ApplicationKey key,
                                                               EventLoop::Strand strand,
                                                               ClusterFollower::Changed changed) {
  static std::atomic<Id> next{1};
  const Id id = next++;
  Entry entry;
  entry.key = std::move(key);
  entry.told = std::make_shared<Told>(std::move(strand), std::move(changed));
  auto handle = std::make_unique<Handle>(shared_from_this(), id, entry.told);
  EventLoop::post(
      strand_, [self = shared_from_this(), id, entry = std::move(entry)] { self->add(id, entry); });
  return handle;
}

void ApplicationPoller::add(Id id, Entry entry) {
  entries_.emplace(id, std::move(entry));
  if (!polling_ && !armed_) armSoon();
}

void ApplicationPoller::drop(Id id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  found->second.told.reset();
  if (!found->second.doomed) entries_.erase(found);
}

void ApplicationPoller::change(Id id, const std::function<void(Entry&)>& how) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  how(found->second);
  found->second.askedSince = round_ + 1;
  if (polling_)
    again_ = true;
  else if (errors_ == 0)
    armSoon();
}

void ApplicationPoller::doom(Entry& entry) {
  if (!entry.doomed) entry.doomedAt = Clock::now();
  entry.doomed = true;
}

// Not at once, so that what comes together shares a list.
void ApplicationPoller::armSoon() {
  arm(std::min(times_.poll, milliseconds(100)));
}

void ApplicationPoller::arm(milliseconds time) {
  armed_ = true;
  timer_.start(time, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->poll();
  });
}

void ApplicationPoller::poll() {
  armed_ = false;
  std::vector<ApplicationKey> keys;
  for (const auto& item : entries_)
    if (manager_->findable(item.second.key)) keys.push_back(item.second.key);
  if (entries_.empty()) {
    errors_ = 0;
    lastAnswer_ = {};
    return;
  }
  polling_ = true;
  const std::uint64_t round = ++round_;
  const auto done = [self = shared_from_this(), round](const std::string& error,
                                                       const std::vector<SeenApplication>& seen) {
    self->listed(round, error, seen);
  };
  if (keys.empty()) return done(std::string(), {});
  manager_->list(keys, done);
}

void ApplicationPoller::listed(std::uint64_t round, const std::string& error,
                               const std::vector<SeenApplication>& seen) {
  polling_ = false;
  if (!error.empty()) {
    // Once, until it answers again: what it says each time is the same.
    if (errors_++ == 0)
      log().warn("{} does not answer, its applications keep their states until it does: {}",
                 manager_->name(), error);
    lastAnswer_ = {};
    for (auto item = entries_.begin(); item != entries_.end();)
      item = giveUp(item->second) ? entries_.erase(item) : std::next(item);
    const unsigned doublings = std::min(errors_ - 1, 10u);
    return arm(
        std::min(times_.poll * (1 << doublings), std::max(times_.poll, times_.pollAfterErrors)));
  }
  if (errors_ > 0) log().info("{} answers again", manager_->name());
  errors_ = 0;
  const Clock::time_point now = Clock::now();
  const milliseconds passed = lastAnswer_ == Clock::time_point{}
                                  ? milliseconds(0)
                                  : std::chrono::duration_cast<milliseconds>(now - lastAnswer_);
  lastAnswer_ = now;
  for (auto item = entries_.begin(); item != entries_.end();)
    item = look(item->second, seen, passed, round) ? std::next(item) : entries_.erase(item);
  if (std::exchange(again_, false)) return armSoon();
  if (!entries_.empty()) return arm(times_.poll);
  lastAnswer_ = {};
}

bool ApplicationPoller::look(Entry& entry, const std::vector<SeenApplication>& seen,
                             milliseconds passed, std::uint64_t round) {
  // A tag can be on several: a submission that was tried twice. All end when it is to end; what is
  // told is of the one whose id is known, else of the first.
  const SeenApplication* shown = nullptr;
  bool alive = false;
  for (const SeenApplication& one : seen) {
    if (!one.is(entry.key)) continue;
    if (!one.report.final()) {
      alive = true;
      if (entry.doomed) end(entry, one.report.applicationId);
    }
    const bool known = one.report.applicationId == entry.key.applicationId;
    if (!shown || known ||
        (shown->report.applicationId != entry.key.applicationId && one.started < shown->started))
      shown = &one;
  }
  if (!shown) return unseen(entry, passed, round);
  entry.unseen = milliseconds(0);
  entry.key.applicationId = shown->report.applicationId;
  tell(entry, shown->report);
  if (!shown->report.final()) return !giveUp(entry);
  entry.told.reset();
  if (!alive) return false;
  doom(entry);  // another one of the same tag, of which nobody will hear
  return !giveUp(entry);
}

bool ApplicationPoller::unseen(Entry& entry, milliseconds passed, std::uint64_t round) {
  entry.unseen += passed;
  // A list that was asked for before the entry changed says nothing of what became of it since.
  const bool current = entry.submitted && round >= entry.askedSince;
  ApplicationReport report;
  if (entry.last) report = *entry.last;
  if (entry.doomed && (current || entry.last)) {
    report.state = ApplicationReport::State::killed;
    if (!entry.last) report.diagnostics = "ended before " + manager_->name() + " had seen it";
    tell(entry, report);
    entry.told.reset();
  } else if (!entry.doomed && (current || entry.last) && entry.unseen >= times_.lookup) {
    report.state = ApplicationReport::State::failed;
    report.diagnostics = manager_->name() + " has known no application " + named(entry.key) +
                         " for " + inSeconds(times_.lookup);
    tell(entry, report);
    entry.told.reset();
    doom(entry);  // should it come after all
  }
  return !giveUp(entry);
}

bool ApplicationPoller::giveUp(const Entry& entry) const {
  const auto time = errors_ > 0 ? 6 * times_.leak : times_.leak;
  if (!entry.doomed || entry.told || Clock::now() - entry.doomedAt < time) return false;
  if (errors_ > 0 || entry.unseen == milliseconds(0))
    log().error("{}: the application {} was to end and may run on: given up after {}",
                manager_->name(), named(entry.key), inSeconds(time));
  return true;
}

void ApplicationPoller::end(Entry& entry, const std::string& applicationId) {
  if (entry.killing) return;
  entry.killing = true;
  const Id id = std::find_if(entries_.begin(), entries_.end(), [&](const auto& item) {
                  return &item.second == &entry;
                })->first;
  manager_->kill(
      applicationId, [self = shared_from_this(), id, applicationId](const std::string& error) {
        const auto found = self->entries_.find(id);
        if (found == self->entries_.end()) return;
        if (found->second.killError != error) {
          if (error.empty())
            log().info("{}: asked for the end of {}", self->manager_->name(), applicationId);
          else
            log().warn("{}: cannot end {}: {}", self->manager_->name(), applicationId, error);
        }
        // Until a list shows that it has ended it is asked again, one list later.
        found->second.killing = false;
        found->second.killError = error;
      });
}

void ApplicationPoller::tell(Entry& entry, const ApplicationReport& report) {
  if (!entry.told || (entry.last && same(*entry.last, report))) return;
  entry.last = report;
  EventLoop::post(entry.told->strand(), [told = entry.told, report] {
    told->run([&](const ClusterFollower::Changed& changed) { changed(report); });
  });
}

}  // namespace hearth::host
