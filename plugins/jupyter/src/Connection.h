// Where a kernel listens, and the connection file that tells it so.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>

namespace hearth::jupyter {

enum class Transport { ipc, tcp };

/// The five channels, in the order in which connection files list them.
enum Channel { shell, iopub, stdinput, control, heartbeat, channelCount };

/// Loopback ports that were given out and may not be bound yet: kernels that start at the same time
/// must not be told the same. Thread-safe.
class Ports {
 public:
  using Numbers = std::array<int, channelCount>;
  /// Free ones. Throws std::runtime_error where the system has none.
  Numbers take();
  /// Those of a kernel that is there already.
  void hold(const Numbers& ports);
  void giveBack(const Numbers& ports);
  /// Whether none of them is bound by another process, as far as can be seen now.
  static bool free(const Numbers& ports);

 private:
  std::mutex mutex_;
  std::set<int> taken_;
};

/// One kernel's connection; its files, and the sockets of an ipc one, go with it unless kept.
///
/// Beside the connection file is a lock file. Whoever has the connection holds the lock: by that
/// the kernel's guard (Guard.h) knows that there is a host, also after a kill -9.
class Connection {
 public:
  /// Writes `folder`/NAME.json, mode 0600, with a key of its own. ipc becomes tcp where the
  /// folder's path is too long for a socket's. Throws std::runtime_error.
  Connection(Ports& ports, const std::string& folder, const std::string& name, Transport transport,
             const std::string& kernelName);
  /// That of an earlier run of the host, by its file. Throws std::runtime_error.
  Connection(Ports& ports, const std::string& file);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Transport transport() const noexcept { return transport_; }
  const std::string& file() const noexcept { return file_; }
  std::string lockFile() const { return base_ + ".lock"; }
  /// Takes the lock, if it has not got it yet; false while a guard looks at it: try again soon.
  bool lock();
  /// Whether there are files of a connection of that name.
  static bool exists(const std::string& folder, const std::string& name);
  /// Leaves the files, and the kernel's sockets, for the next run of the host.
  void keep() noexcept { kept_ = true; }
  const std::string& key() const noexcept { return key_; }
  std::string endpoint(Channel channel) const;
  /// Whether another process may have been faster in binding the ports.
  bool portsLost() const;

 private:
  void openLock();

  Ports& ports_;
  Transport transport_;
  const std::string base_;  // of the files' names
  std::string file_, key_, ip_;
  Ports::Numbers numbers_{};
  int lockFd_ = -1;
  bool locked_ = false, kept_ = false;
};

}  // namespace hearth::jupyter
