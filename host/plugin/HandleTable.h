// Numbers that stand for objects of the host on the other side of the plugin border.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace hearth::host {

/// Slot and generation in one number, so that a handle that was given back is never taken for its
/// successor. Holds objects weakly. Thread-safe.
template <typename T>
class HandleTable {
 public:
  /// Never 0.
  std::uint64_t add(std::weak_ptr<T> object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::uint32_t index;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    slots_[index].object = std::move(object);
    return (static_cast<std::uint64_t>(slots_[index].generation) << 32) | index;
  }

  /// Null for a number that was given back or never given.
  std::shared_ptr<T> find(std::uint64_t handle) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Slot* slot = at(handle);
    return slot ? slot->object.lock() : nullptr;
  }

  void remove(std::uint64_t handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!at(handle)) return;
    const auto index = static_cast<std::uint32_t>(handle);
    slots_[index].object.reset();
    ++slots_[index].generation;
    free_.push_back(index);
  }

 private:
  struct Slot {
    std::weak_ptr<T> object;
    std::uint32_t generation = 1;
  };

  const Slot* at(std::uint64_t handle) const {
    const auto index = static_cast<std::uint32_t>(handle);
    if (index >= slots_.size() || slots_[index].generation != handle >> 32) return nullptr;
    return &slots_[index];
  }

  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace hearth::host
