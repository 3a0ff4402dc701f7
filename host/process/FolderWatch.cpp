#include "process/FolderWatch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

struct FolderWatch::Core : std::enable_shared_from_this<FolderWatch::Core> {
  using Changed = std::shared_ptr<std::function<void()>>;

  explicit Core(EventLoop::Context& context) : descriptor(context) {
    const int made = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (made < 0)
      log().warn("logs cannot be followed: {}", std::strerror(errno));
    else
      descriptor.assign(made);
  }

  void wait() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (!descriptor.is_open()) return;
    descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            if (error) return;
                            for (const Changed& change : self->take()) (*change)();
                            self->wait();
                          });
  }

  /// Whom the system has something to tell; many writes are one change.
  std::set<Changed> take() {
    std::set<Changed> due;
    const std::lock_guard<std::mutex> lock(mutex);
    if (!descriptor.is_open()) return due;
    alignas(inotify_event) std::array<char, 16 * 1024> bytes;
    const ssize_t got = ::read(descriptor.native_handle(), bytes.data(), bytes.size());
    for (const char* at = bytes.data(); at < bytes.data() + std::max<ssize_t>(got, 0);) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if (const auto found = watched.find(event->wd); found != watched.end())
        due.insert(found->second);
      // Where the queue has run over, anything may have changed.
      if ((event->mask & IN_Q_OVERFLOW) != 0)
        for (const auto& each : watched) due.insert(each.second);
    }
    return due;
  }

  void forget(int number, const Changed& changed) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = watched.find(number);
    if (found == watched.end() || found->second != changed) return;
    watched.erase(found);
    if (descriptor.is_open()) ::inotify_rm_watch(descriptor.native_handle(), number);
  }

  void close() {
    const std::lock_guard<std::mutex> lock(mutex);
    watched.clear();
    boost::system::error_code ignored;
    descriptor.close(ignored);
  }

  std::mutex mutex;
  std::map<int, Changed> watched;  // by inotify's number
  boost::asio::posix::stream_descriptor descriptor;
};

FolderWatch::FolderWatch(EventLoop& loop) : core_(std::make_shared<Core>(loop.context())) {
  core_->wait();
}

FolderWatch::~FolderWatch() {
  core_->close();
}

FolderWatch::Handle FolderWatch::watch(const std::string& folder, std::function<void()> changed) {
  const auto call = std::make_shared<std::function<void()>>(std::move(changed));
  const std::lock_guard<std::mutex> lock(core_->mutex);
  if (!core_->descriptor.is_open()) return nullptr;
  const int number = ::inotify_add_watch(core_->descriptor.native_handle(), folder.c_str(),
                                         IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
  if (number < 0) {
    log().warn("{} cannot be followed: {}", folder, std::strerror(errno));
    return nullptr;
  }
  // The same folder again has the same number: the newer watch is the one that counts.
  core_->watched[number] = call;
  return Handle(call.get(), [core = core_, call, number](void*) { core->forget(number, call); });
}

}  // namespace hearth::host
