// A session's interpreter that is a Jupyter kernel.
#pragma once

#include <cstdint>
#include <hearth/plugin.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "Connection.h"
#include "IoThread.h"
#include "Kernel.h"
#include "KernelSpec.h"

namespace hearth::jupyter {

/// The plugin with one configuration: what all its kernels share.
class JupyterInstance final : public Instance {
 public:
  /// Throws hearth::Error for a configuration that is no use.
  JupyterInstance(Host host, std::string config);

  struct Settings {
    std::string kernel, transport;
    std::vector<std::string> paths;
    std::uint32_t shutdownMillis = 0;
    std::uint32_t orphanSeconds = 0;  ///< 0: kernels end with the host
    KernelTimes times{};
  };
  const Settings& settings() const noexcept { return settings_; }
  const std::map<std::string, std::string>& environment() const noexcept { return environment_; }
  /// The host's PATH.
  std::string path() const;
  Ports& ports() noexcept { return ports_; }
  IoThread& io() noexcept { return io_; }
  /// A name that no other kernel of this process has, nor one of an earlier run in `folder`.
  std::string nextName(const std::string& folder);

 private:
  Settings settings_;
  std::map<std::string, std::string> environment_;
  Ports ports_;
  std::atomic<unsigned> names_{0};
  IoThread io_;  // last: its end needs the rest
};

class JupyterSession final : public Session,
                             public Interruptible,
                             public Completing,
                             public Inspecting,
                             public Resumable,
                             private KernelEvents {
 public:
  JupyterSession(JupyterInstance& instance, Host host, hearth_session_h handle,
                 const hearth_open& open, const std::string& config);
  ~JupyterSession() override;

  void launch() override;
  void execute(std::uint64_t statement, std::string_view code,
               std::string_view optionsJson) override;
  void interrupt(std::uint64_t statement) override;
  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) override;
  void inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
               std::int32_t detail) override;
  /// Whatever became of it: Jupyter's protocol does not repeat what was said to another client.
  void resume(std::uint64_t statement, std::string_view code,
              std::string_view optionsJson) override;
  void close(std::int32_t mode) override;

  void onExit(hearth_proc_h process, std::int32_t status, std::int32_t signo) override;
  void onTimer(std::uint64_t id) override;

 private:
  // KernelEvents, on the I/O thread
  void onReady(const std::string& about) override;
  void onOutput(std::uint64_t statement, std::int32_t stream, std::string_view text) override;
  void onDisplay(std::uint64_t statement, std::string_view bundle) override;
  void onDisplayChanged(std::uint64_t statement, std::size_t index,
                        std::string_view bundle) override;
  void onDone(std::uint64_t statement, std::int32_t outcome, std::string_view bundle) override;
  void onReply(std::uint64_t request, std::string_view json) override;
  void onNote(std::int32_t level, const std::string& text) override;

  void readOptions();
  void readKept();
  void keep() const;
  void takeUp();
  void holdLock();
  Transport transport() const;
  std::vector<std::string> command(const std::vector<std::string>& env) const;
  void startKernel();
  void connect();
  void endKernel();
  void signalNow();
  void signalProcess(int signo) noexcept;

  JupyterInstance& instance_;
  KernelSpec spec_;
  std::string folder_, transport_;
  std::map<std::string, std::string> variables_;  // of the session's conf

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Kernel> kernel_;
  hearth_proc_h process_ = 0;  // 0: ended, or not started
  int launches_ = 0;
  bool closing_ = false;
  bool recovered_ = false;          // of an earlier run of the host
  bool kept_ = false;               // it outlives the host
  std::string keptConnection_;      // of the kernel to be taken up
  std::string goneReason_;          // of one that had ended by then
  std::uint64_t interrupting_ = 0;  // statement whose code has not begun; the signal waits for it
  int interruptTries_ = 0;
  std::uint64_t interruptTimer_ = 0, closeTimer_ = 0, lockTimer_ = 0;
  bool asked_ = false;  // it has been sent SIGTERM
};

}  // namespace hearth::jupyter
