// What is stored of that which has ended, and how it goes again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hearth::host {

/// Ended sessions and batches as retention sees them. Everything works by index and in bounded
/// steps: a call takes milliseconds, however much is stored. Thread-safe. Reads throw StoreError.
class StoreUpkeep {
 public:
  enum class What { sessions, batches };

  struct Ended {
    std::int64_t id = -1;
    std::int64_t ended = 0;   ///< milliseconds since the epoch
    std::int64_t bytes = -1;  ///< of its folder; -1: not measured
  };
  struct Totals {
    std::int64_t count = 0;
    std::int64_t bytes = 0;  ///< of all folders that were measured
  };
  using Done = std::function<void(const std::string& error)>;
  /// `more`: there is more of it to do. On the writer's thread; must not block.
  using Step = std::function<void(const std::string& error, bool more)>;

  virtual ~StoreUpkeep() = default;

  /// Smaller ids were handed out before this store was opened.
  virtual std::int64_t firstOfThisRun(What what) const = 0;
  virtual bool has(What what, std::int64_t id) const = 0;

  virtual Totals totals(What what) const = 0;
  /// In the order in which they ended, from behind `after`.
  virtual std::vector<Ended> ended(What what, const Ended& after, std::int64_t size) const = 0;
  virtual std::vector<Ended> unmeasured(What what, std::int64_t size) const = 0;
  virtual void setBytes(What what, std::int64_t id, std::int64_t bytes, Done done) = 0;
  /// Takes away a bounded number of a session's statements, oldest first, and with the last of them
  /// the session; a batch at once. Only of what has ended.
  virtual void remove(What what, std::int64_t id, Step done) = 0;

  /// Of the store's file; pages that are free are not counted.
  virtual std::int64_t usedBytes() const = 0;
  /// Gives some free space of the file back to the disk, where there is much of it.
  virtual void compact(Step done) = 0;
};

}  // namespace hearth::host
