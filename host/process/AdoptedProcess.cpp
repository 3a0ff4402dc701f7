#include "process/AdoptedProcess.h"

#include <signal.h>

#include <atomic>
#include <utility>

namespace hearth::host {

namespace {

class AdoptedProcess final : public Process {
 public:
  AdoptedProcess(std::shared_ptr<ForeignProcess> process, pid_t pid,
                 std::shared_ptr<const std::atomic<bool>> telling)
      : process_(std::move(process)), pid_(pid), telling_(std::move(telling)) {}

  pid_t pid() const override { return pid_; }
  bool write(std::string) override { return false; }
  bool signal(int signo) override {
    // The pid is the group's for as long as the process, or any other of the group, is there.
    return (*telling_ || process_->signal(0)) && ::kill(-pid_, signo) == 0;
  }

 private:
  const std::shared_ptr<ForeignProcess> process_;
  const pid_t pid_;
  const std::shared_ptr<const std::atomic<bool>> telling_;  // its end
};

}  // namespace

std::shared_ptr<Process> adoptProcess(EventLoop& loop, const ProcessIdentity& identity,
                                      EventLoop::Strand strand, Process::Events events) {
  const auto telling = std::make_shared<std::atomic<bool>>(false);
  auto process = ForeignProcess::open(loop, identity, std::move(strand),
                                      [exit = std::move(events.exit), telling] {
                                        *telling = true;
                                        if (exit) exit(-1, 0);
                                        *telling = false;
                                      });
  if (!process) return nullptr;
  return std::make_shared<AdoptedProcess>(std::move(process), identity.pid, telling);
}

}  // namespace hearth::host
