// Where a kernel listens, and the connection file that tells it so.
#pragma once

#include <array>
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
  void giveBack(const Numbers& ports);
  /// Whether none of them is bound by another process, as far as can be seen now.
  static bool free(const Numbers& ports);

 private:
  std::mutex mutex_;
  std::set<int> taken_;
};

/// One kernel's connection; its file, and the sockets of an ipc one, go with it.
class Connection {
 public:
  /// Writes `folder`/NAME.json, mode 0600, with a key of its own. ipc becomes tcp where the
  /// folder's path is too long for a socket's. Throws std::runtime_error.
  Connection(Ports& ports, const std::string& folder, const std::string& name, Transport transport,
             const std::string& kernelName);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Transport transport() const noexcept { return transport_; }
  const std::string& file() const noexcept { return file_; }
  const std::string& key() const noexcept { return key_; }
  std::string endpoint(Channel channel) const;
  /// Whether another process may have been faster in binding the ports.
  bool portsLost() const;

 private:
  Ports& ports_;
  Transport transport_;
  std::string file_, key_, ip_;
  Ports::Numbers numbers_{};
};

}  // namespace hearth::jupyter
