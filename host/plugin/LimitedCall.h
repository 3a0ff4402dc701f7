// A call that may never return, on a thread that can be left behind.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace hearth::host {

/// Runs on a thread of its own from the moment it is made. What it uses lives until it returns,
/// whenever that is, or until the process ends. Destroying this leaves the call alone. One thread.
class LimitedCall {
 public:
  explicit LimitedCall(std::function<void()> call);

  /// Waits for at most `limit`, or for as long as it takes where that is 0. True once the call has
  /// returned: what it has written can be read then.
  bool wait(std::chrono::milliseconds limit) const;
  bool returned() const;
  /// Has `then` called when the call returns, on its thread; now and here if it has. Once.
  void afterwards(std::function<void()> then) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace hearth::host
