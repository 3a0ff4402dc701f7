#include "IoThread.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <system_error>
#include <utility>

namespace hearth::jupyter {

IoThread::~IoThread() {
  if (!thread_.joinable()) return;
  post([this] { stopping_ = true; });
  thread_.join();
  context_.reset();
  ::close(wake_);
}

void IoThread::start() {
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  context_.emplace(1);
  // Five sockets a kernel: libzmq's default of 1023 would be 200 kernels.
  context_->set(zmq::ctxopt::max_sockets, 16384);
  // The host's signals are not this thread's.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread_.native_handle(), "hearth-jupyter");
}

void IoThread::post(std::function<void()> task) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!thread_.joinable()) start();
  tasks_.push_back(std::move(task));
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the thread is awake anyway.
  (void)!::write(wake_, &one, sizeof one);
}

void IoThread::call(const std::function<void()>& task) {
  std::promise<void> done;
  post([&] {
    guarded(task);
    done.set_value();
  });
  done.get_future().wait();
}

void IoThread::add(Pollable& client) {
  clients_.push_back(&client);
}

void IoThread::remove(Pollable& client) {
  clients_.erase(std::remove(clients_.begin(), clients_.end(), &client), clients_.end());
}

template <typename Body>
void IoThread::guarded(Body&& body) {
  try {
    body();
  } catch (const std::exception& error) {
    log_(std::string("the jupyter plugin's thread: ") + error.what());
  }
}

void IoThread::run() {
  while (!stopping_) {
    guarded([this] { poll(); });
    guarded([this] { runTasks(); });
  }
}

void IoThread::runTasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::uint64_t count = 0;
    (void)!::read(wake_, &count, sizeof count);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) guarded(task);
}

void IoThread::poll() {
  std::vector<zmq::pollitem_t> items{{nullptr, wake_, ZMQ_POLLIN, 0}};
  std::vector<std::pair<Pollable*, std::size_t>> owners{{nullptr, 0}};
  std::optional<Clock::time_point> next;
  for (Pollable* client : clients_) {
    auto sockets = client->sockets();
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      items.push_back(zmq::pollitem_t{sockets[i].handle(), 0, ZMQ_POLLIN, 0});
      owners.emplace_back(client, i);
    }
    const auto deadline = client->deadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  std::chrono::milliseconds time{-1};
  if (next) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now());
    time = std::max(left, std::chrono::milliseconds::zero());
  }
  if (::zmq_poll(items.data(), static_cast<int>(items.size()), time.count()) < 0) {
    if (errno == EINTR) return;
    throw zmq::error_t();
  }
  // Clients come and go in tasks only, so that all of `owners` are still there.
  for (std::size_t i = 1; i < items.size(); ++i)
    if ((items[i].revents & ZMQ_POLLIN) != 0)
      guarded([&] { owners[i].first->readable(owners[i].second); });
  const auto now = Clock::now();
  for (Pollable* client : clients_) {
    const auto deadline = client->deadline();
    if (deadline && *deadline <= now) guarded([&] { client->due(now); });
  }
}

}  // namespace hearth::jupyter
