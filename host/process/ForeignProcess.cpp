#include "process/ForeignProcess.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

#include "process/Fd.h"
#include "support/FileContent.h"
#include "support/Gate.h"

namespace hearth::host {

namespace {

// The name in brackets may have blanks and brackets of its own.
std::string startTimeOf(pid_t pid) {
  const std::string stat = fileContent("/proc/" + std::to_string(pid) + "/stat");
  std::size_t at = stat.rfind(')');
  for (int field = 2; at != std::string::npos && field < 22; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return {};
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

std::string bootId() {
  std::string text = fileContent("/proc/sys/kernel/random/boot_id");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

using Ended = std::function<void()>;

struct Watch {
  Watch(EventLoop& loop, Fd pidfd, EventLoop::Strand strand, Ended ended)
      : descriptor(loop.context(), pidfd.release()), gate(std::move(strand), std::move(ended)) {}

  boost::asio::posix::stream_descriptor descriptor;
  Gate<Ended> gate;
};

class WatchedProcess final : public ForeignProcess {
 public:
  explicit WatchedProcess(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  ~WatchedProcess() override { watch_->gate.shut(); }

  bool signal(int signo) override {
    return ::syscall(SYS_pidfd_send_signal, watch_->descriptor.native_handle(), signo, nullptr,
                     0) == 0;
  }

 private:
  const std::shared_ptr<Watch> watch_;
};

}  // namespace

ProcessIdentity identityOf(pid_t pid) {
  return {pid, startTimeOf(pid), bootId()};
}

std::shared_ptr<ForeignProcess> ForeignProcess::open(EventLoop& loop,
                                                     const ProcessIdentity& identity,
                                                     EventLoop::Strand strand,
                                                     std::function<void()> ended) {
  if (identity.pid <= 0 || identity.bootId != bootId()) return nullptr;
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, identity.pid, 0)));
  // Looked at once the descriptor is there: it cannot become another process's afterwards.
  if (!pidfd || startTimeOf(identity.pid) != identity.startTime) return nullptr;
  auto watch = std::make_shared<Watch>(loop, std::move(pidfd), std::move(strand), std::move(ended));
  watch->descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                               [watch](const boost::system::error_code& error) {
                                 if (error) return;
                                 EventLoop::post(watch->gate.strand(), [watch] {
                                   watch->gate.run([](const Ended& call) { call(); });
                                 });
                               });
  return std::make_shared<WatchedProcess>(std::move(watch));
}

}  // namespace hearth::host
