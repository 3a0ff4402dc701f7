#include "process/AdoptedProcess.h"

#include <signal.h>

#include <utility>

namespace hearth::host {

namespace {

class AdoptedProcess final : public Process {
 public:
  AdoptedProcess(std::shared_ptr<ForeignProcess> process, pid_t pid)
      : process_(std::move(process)), pid_(pid) {}

  pid_t pid() const override { return pid_; }
  bool write(std::string) override { return false; }
  bool signal(int signo) override {
    // The pid is the group's for as long as the process is there.
    return process_->signal(0) && ::kill(-pid_, signo) == 0;
  }

 private:
  const std::shared_ptr<ForeignProcess> process_;
  const pid_t pid_;
};

}  // namespace

std::shared_ptr<Process> adoptProcess(EventLoop& loop, const ProcessIdentity& identity,
                                      EventLoop::Strand strand, Process::Events events) {
  auto process =
      ForeignProcess::open(loop, identity, std::move(strand), [exit = std::move(events.exit)] {
        if (exit) exit(-1, 0);
      });
  if (!process) return nullptr;
  return std::make_shared<AdoptedProcess>(std::move(process), identity.pid);
}

}  // namespace hearth::host
