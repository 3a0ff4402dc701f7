// Who may submit next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace hearth::host {

/// At most so many batches have a place; the rest wait, each user's in order, and the users take
/// turns. Not thread-safe.
class BatchQueue {
 public:
  explicit BatchQueue(std::size_t places) : places_(places) {}

  void add(const std::string& user, std::int64_t batch);
  /// The batch whose turn it is, with a place taken for it; nothing where none waits or no place is
  /// free.
  std::optional<std::int64_t> next();
  /// A batch that has a place without having waited: it ran already when the host started.
  void occupy() { ++taken_; }
  /// Gives a place back.
  void release() { --taken_; }
  /// False where it does not wait.
  bool remove(std::int64_t batch);

  std::size_t waiting() const { return users_.size(); }
  /// How many are served before it; nothing where it does not wait.
  std::optional<std::size_t> position(std::int64_t batch) const;

 private:
  using Line = std::deque<std::int64_t>;

  std::size_t places_;
  std::size_t taken_ = 0;
  std::map<std::string, Line> lines_;          // by user; none is empty
  std::deque<std::string> turns_;              // users with a line, who is next first
  std::map<std::int64_t, std::string> users_;  // of those that wait
};

}  // namespace hearth::host
