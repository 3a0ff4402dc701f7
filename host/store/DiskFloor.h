// How much space the disk must have left for new work to be taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace hearth::host {

/// Below the floor nothing new is accepted, so that what runs can still store its results. The
/// disk is asked at most once a second, when somebody wants to know. Thread-safe.
class DiskFloor {
 public:
  /// Free bytes, for others than root; nothing where the system does not say.
  using Ask = std::function<std::optional<std::uint64_t>()>;

  /// `bytes` 0: no floor.
  DiskFloor(const std::string& folder, std::uint64_t bytes);
  DiskFloor(std::string folder, std::uint64_t bytes, Ask ask, std::chrono::milliseconds every);

  /// Empty, or why nothing new is accepted and the way out.
  std::string refusal();

 private:
  std::string look();

  const std::string folder_;
  const std::uint64_t bytes_;
  const Ask ask_;
  const std::chrono::milliseconds every_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> looked_;
  std::string refusal_;
};

}  // namespace hearth::host
