#include "plugin/CallWatch.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

namespace {

using std::chrono::milliseconds;

constexpr std::chrono::minutes nextWord{1};  // between two lines on one call

std::string seconds(CallWatch::Clock::duration time) {
  const auto ms = std::chrono::duration_cast<milliseconds>(time).count();
  return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
}

std::string describe(const PluginCall& call) {
  std::string text = std::string("plugin ") + call.instance + " does not return from " + call.slot;
  if (call.session[0] != '\0') text += std::string(", session ") + call.session;
  return text;
}

}  // namespace

CallWatch::CallWatch(EventLoop& loop, Options options)
    : loop_(loop), options_(options), thread_([this] { run(); }) {}

CallWatch::~CallWatch() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
  }
  due_.notify_one();
  thread_.join();
}

CallWatch::Running::Running(CallWatch* watch, const PluginCall& call, const Told* told)
    : watch_(watch), call_(call), told_(told), ofLoop_(EventLoop::onThread()) {
  if (watch_ != nullptr) watch_->begin(*this);
}

CallWatch::Running::~Running() {
  if (watch_ != nullptr) watch_->end(*this);
}

void CallWatch::begin(Running& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  call.place_ = calls_.size();
  call.nextWord_ = call.start_ + options_.limit;
  calls_.push_back(&call);
  const auto due = call.start_ + options_.slow;
  if (next_ <= due) return;
  // No other one is to wake it for: it sleeps until then, however many calls there are.
  next_ = due;
  changed_ = true;
  due_.notify_one();
}

void CallWatch::end(Running& call) {
  const auto took = Clock::now() - call.start_;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    calls_.back()->place_ = call.place_;
    calls_[call.place_] = calls_.back();
    calls_.pop_back();
    if (took >= options_.slow) {
      changed_ = true;
      due_.notify_one();
    }
    if (!call.hangs_) return;
    const auto counted = hanging_.find(call.call_.instance);
    if (counted != hanging_.end() && --counted->second == 0) hanging_.erase(counted);
  }
  log().warn("plugin {} has returned from {} after {}, session {}", call.call_.instance,
             call.call_.slot, seconds(took), call.call_.session);
  if (call.told_ != nullptr && *call.told_) (*call.told_)(std::string());
}

CallWatch::Clock::time_point CallWatch::look(Clock::time_point now, std::size_t& held,
                                             std::vector<std::pair<std::string, Told>>& news) {
  auto next = Clock::time_point::max();
  held = 0;
  for (Running* const call : calls_) {
    if (now < call->start_ + options_.slow) {
      next = std::min(next, call->start_ + options_.slow);
    } else if (call->ofLoop_) {
      ++held;
    }
    if (options_.limit.count() == 0) continue;
    if (now >= call->nextWord_) {
      call->nextWord_ = now + nextWord;
      const std::string text = describe(call->call_);
      log().error("{}: since {}", text, seconds(now - call->start_));
      if (!call->hangs_) {
        call->hangs_ = true;
        ++hanging_[call->call_.instance];
        if (call->told_ != nullptr && *call->told_) news.emplace_back(text, *call->told_);
      }
    }
    next = std::min(next, call->nextWord_);
  }
  return next;
}

// A call may have returned while its session was told that it hangs: then it is told again.
void CallWatch::retell(const std::vector<std::pair<std::string, Told>>& news) {
  for (const auto& [text, told] : news) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool still = std::any_of(calls_.begin(), calls_.end(), [&](const Running* call) {
      return call->hangs_ && describe(call->call_) == text;
    });
    if (!still) told(std::string());
  }
}

void CallWatch::run() {
  pthread_setname_np(pthread_self(), "hearth-watch");
  std::size_t lent = 0;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!over_) {
    changed_ = false;
    std::size_t held = 0;
    std::vector<std::pair<std::string, Told>> news;
    const auto next = look(Clock::now(), held, news);
    next_ = Clock::time_point::min();  // awake: nobody needs to wake it
    if (held != lent || !news.empty()) {
      lock.unlock();
      if (held != lent) loop_.lend(held);
      lent = held;
      for (const auto& [text, told] : news) told(text);
      retell(news);
      lock.lock();
      continue;
    }
    next_ = std::min(next, Clock::now() + std::chrono::hours(1));
    due_.wait_until(lock, next_, [this] { return over_ || changed_; });
  }
}

std::string CallWatch::refusal(const std::string& instance) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto counted = hanging_.find(instance);
  if (counted == hanging_.end() || counted->second < options_.most) return {};
  return "plugin " + instance + " does not return from " + std::to_string(counted->second) +
         " calls: it gets no new sessions until it does";
}

std::vector<std::string> CallWatch::hanging() const {
  std::vector<std::string> texts;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto now = Clock::now();
  for (const Running* const call : calls_)
    if (call->hangs_)
      texts.push_back(describe(call->call_) + ": since " + seconds(now - call->start_));
  return texts;
}

}  // namespace hearth::host
