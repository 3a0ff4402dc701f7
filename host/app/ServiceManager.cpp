// The protocol is a datagram of NAME=value lines to the socket in NOTIFY_SOCKET, and meant to be
// spoken without libsystemd.
#include "app/ServiceManager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "process/Fd.h"
#include "support/Log.h"

namespace hearth::host::service {

namespace {

void tell(const std::string& state) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (!path || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  if (!socket || ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                          reinterpret_cast<const sockaddr*>(&address), size) < 0)
    log().warn("the service manager at {} was not told: {}", path, std::strerror(errno));
}

}  // namespace

void ready() {
  tell("READY=1\nMAINPID=" + std::to_string(::getpid()));
}

void reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  tell("RELOADING=1\nMONOTONIC_USEC=" +
       std::to_string(static_cast<long long>(now.tv_sec) * 1000000 + now.tv_nsec / 1000));
}

void stopping(std::chrono::milliseconds time) {
  tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string((time.count() + 5000) * 1000));
}

}  // namespace hearth::host::service
