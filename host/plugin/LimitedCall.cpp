#include "plugin/LimitedCall.h"

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace hearth::host {

struct LimitedCall::State {
  std::mutex mutex;
  std::condition_variable changed;
  bool returned = false;
  std::function<void()> then;
};

LimitedCall::LimitedCall(std::function<void()> call) : state_(std::make_shared<State>()) {
  std::thread([state = state_, call = std::move(call)]() mutable {
    pthread_setname_np(pthread_self(), "hearth-plugin");
    call();
    call = nullptr;  // what it holds is let go before anybody hears of it
    std::function<void()> then;
    {
      const std::lock_guard<std::mutex> lock(state->mutex);
      state->returned = true;
      then = std::move(state->then);
    }
    state->changed.notify_all();
    if (then) then();
  }).detach();
}

bool LimitedCall::wait(std::chrono::milliseconds limit) const {
  std::unique_lock<std::mutex> lock(state_->mutex);
  const auto returned = [this] { return state_->returned; };
  if (limit.count() > 0) return state_->changed.wait_for(lock, limit, returned);
  state_->changed.wait(lock, returned);
  return true;
}

bool LimitedCall::returned() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->returned;
}

void LimitedCall::afterwards(std::function<void()> then) const {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (!state_->returned) {
      state_->then = std::move(then);
      return;
    }
  }
  then();
}

}  // namespace hearth::host
