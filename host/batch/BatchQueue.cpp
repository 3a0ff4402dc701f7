#include "batch/BatchQueue.h"

#include <algorithm>

namespace hearth::host {

void BatchQueue::add(const std::string& user, std::int64_t batch) {
  Line& line = lines_[user];
  if (line.empty()) turns_.push_back(user);
  line.push_back(batch);
  users_[batch] = user;
}

std::optional<std::int64_t> BatchQueue::next() {
  if (taken_ >= places_ || turns_.empty()) return std::nullopt;
  const std::string user = turns_.front();
  turns_.pop_front();
  const auto line = lines_.find(user);
  const std::int64_t batch = line->second.front();
  line->second.pop_front();
  if (line->second.empty())
    lines_.erase(line);
  else
    turns_.push_back(user);
  users_.erase(batch);
  ++taken_;
  return batch;
}

bool BatchQueue::remove(std::int64_t batch) {
  const auto user = users_.find(batch);
  if (user == users_.end()) return false;
  const auto line = lines_.find(user->second);
  line->second.erase(std::find(line->second.begin(), line->second.end(), batch));
  if (line->second.empty()) {
    turns_.erase(std::find(turns_.begin(), turns_.end(), user->second));
    lines_.erase(line);
  }
  users_.erase(user);
  return true;
}

std::optional<std::size_t> BatchQueue::position(std::int64_t batch) const {
  const auto user = users_.find(batch);
  if (user == users_.end()) return std::nullopt;
  const Line& own = lines_.at(user->second);
  const auto place =
      static_cast<std::size_t>(std::find(own.begin(), own.end(), batch) - own.begin());
  // Until its turn each user who comes before its own has had place + 1 turns, others `place`.
  std::size_t before = place;
  bool first = true;
  for (const std::string& other : turns_) {
    if (other == user->second) {
      first = false;
      continue;
    }
    before += std::min(lines_.at(other).size(), first ? place + 1 : place);
  }
  return before;
}

}  // namespace hearth::host
