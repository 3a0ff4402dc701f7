#include "session/SessionJournal.h"

#include <algorithm>
#include <utility>

namespace hearth::host {

void SessionJournal::add(const char* name, std::string json) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) return;
  entries_.push_back(Entry{++last_, name, std::move(json)});
  if (entries_.size() > kept) entries_.pop_front();
  changed(lock);
}

void SessionJournal::touch() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed(lock);
}

void SessionJournal::close() {
  std::unique_lock<std::mutex> lock(mutex_);
  closed_ = true;
  changed(lock);
}

std::optional<SessionJournal::Entry> SessionJournal::next(std::uint64_t had) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (had >= last_) return std::nullopt;
  const std::uint64_t first = entries_.front().number;
  return entries_[had < first ? 0 : static_cast<std::size_t>(had + 1 - first)];
}

std::uint64_t SessionJournal::last() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return last_;
}

std::uint64_t SessionJournal::version() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return version_;
}

bool SessionJournal::closed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return closed_;
}

void SessionJournal::wait(std::uint64_t seen, std::function<void()> wake) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (version_ == seen) {
      waiting_.push_back(std::move(wake));
      return;
    }
  }
  wake();
}

void SessionJournal::changed(std::unique_lock<std::mutex>& lock) {
  ++version_;
  const std::vector<std::function<void()>> due = std::exchange(waiting_, {});
  lock.unlock();
  for (const auto& wake : due) wake();
}

}  // namespace hearth::host
