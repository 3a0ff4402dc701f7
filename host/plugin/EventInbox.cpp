#include "plugin/EventInbox.h"

#include <algorithm>
#include <utility>

namespace hearth::host {

namespace {

using Kind = PluginEvent::Kind;

constexpr std::size_t overhead = sizeof(PluginEvent);
constexpr std::size_t joinedOutput = 256 * 1024;
// Whoever looks for one that waits looks at so many, the newest: the cost of a call stays the same
// however many there are.
constexpr std::size_t lookedThrough = 64;
// Questions that were never answered; the oldest goes.
constexpr std::size_t mostExpected = 1000;
// Of the bounds, for what the session has to know.
constexpr std::size_t reserve = 4;

std::size_t sizeOf(const PluginEvent& event) {
  return event.text.size() + overhead;
}

}  // namespace

bool EventInbox::full(std::size_t more) const {
  return !events_.empty() && (bytes_ + more > bounds_.bytes || events_.size() >= bounds_.events);
}

EventInbox::Put EventInbox::add(PluginEvent event) {
  bytes_ += sizeOf(event);
  events_.push_back(std::move(event));
  return Put::queued;
}

PluginEvent* EventInbox::newest(Kind kind, std::uint64_t statement) {
  const std::size_t most = std::min(events_.size(), lookedThrough);
  for (std::size_t i = 1; i <= most; ++i) {
    PluginEvent& event = events_[events_.size() - i];
    if (event.kind == kind && event.statement == statement) return &event;
  }
  return nullptr;
}

// Output that is not kept: the place where it is missing says so, once for all that is missing.
EventInbox::Put EventInbox::miss(const PluginEvent& event) {
  const std::size_t most = std::min(events_.size(), lookedThrough);
  for (std::size_t i = 1; i <= most; ++i) {
    PluginEvent& before = events_[events_.size() - i];
    if (before.kind != Kind::output || before.statement != event.statement) continue;
    if (before.number != event.number) continue;
    if (before.lost == 0) break;
    before.lost += event.text.size();
    return Put::joined;
  }
  if (events_.size() >= reserve * bounds_.events) return Put::dropped;
  PluginEvent gap;
  gap.kind = Kind::output;
  gap.statement = event.statement;
  gap.number = event.number;
  gap.lost = event.text.size();
  return add(std::move(gap));
}

EventInbox::Put EventInbox::put(PluginEvent event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::size_t size = sizeOf(event);
  const bool isFull = full(size);
  switch (event.kind) {
    case Kind::output: {
      // The next is missing as well while the gap waits: else a reader would see crumbs.
      if (isFull ||
          (!events_.empty() && events_.back().lost > 0 &&
           events_.back().statement == event.statement && bytes_ + size > bounds_.bytes / 2))
        return miss(event);
      if (events_.empty()) return add(std::move(event));
      PluginEvent& last = events_.back();
      if (last.kind != Kind::output || last.statement != event.statement || last.lost > 0 ||
          last.number != event.number || last.frame != event.frame ||
          last.text.size() + event.text.size() > joinedOutput)
        return add(std::move(event));
      bytes_ += event.text.size();
      last.text += event.text;
      return Put::joined;
    }
    case Kind::display:
      if (!isFull) return add(std::move(event));
      if (events_.size() >= reserve * bounds_.events) return Put::dropped;
      event.text =
          R"({"text/plain":"[hearth: dropped, it came faster than the host could take it]"})";
      return add(std::move(event));
    case Kind::change:
      return isFull ? Put::dropped : add(std::move(event));
    case Kind::progress:
      if (PluginEvent* const waiting = newest(event.kind, event.statement)) {
        waiting->fraction = event.fraction;
        return Put::joined;
      }
      return isFull ? Put::dropped : add(std::move(event));
    case Kind::save:
      if (PluginEvent* const waiting = newest(event.kind, 0)) {
        bytes_ = bytes_ - waiting->text.size() + event.text.size();
        waiting->text = std::move(event.text);
        return Put::joined;
      }
      break;
    case Kind::state:
      if (!isFull) break;
      if (PluginEvent* const waiting = newest(event.kind, 0)) {
        bytes_ = bytes_ - waiting->text.size() + event.text.size();
        waiting->number = event.number;
        waiting->text = std::move(event.text);
        return Put::joined;
      }
      break;
    case Kind::done:
    case Kind::reply:
      if (expected_.erase({event.kind, event.statement}) != 0) return add(std::move(event));
      return isFull ? Put::dropped : add(std::move(event));
    case Kind::other:
      return add(std::move(event));
  }
  if (!events_.empty() &&
      (events_.size() >= reserve * bounds_.events || bytes_ + size > reserve * bounds_.bytes))
    return Put::dropped;
  return add(std::move(event));
}

void EventInbox::expect(Kind kind, std::uint64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  expected_.emplace(kind, number);
  if (expected_.size() > mostExpected) expected_.erase(expected_.lower_bound({kind, 0}));
}

std::optional<PluginEvent> EventInbox::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (events_.empty()) return std::nullopt;
  PluginEvent event = std::move(events_.front());
  events_.pop_front();
  bytes_ -= sizeOf(event);
  return event;
}

std::size_t EventInbox::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

}  // namespace hearth::host
