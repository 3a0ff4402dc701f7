// Drivers of other machines connect here: TLS over TCP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "link/LinkCertificate.h"
#include "link/LinkStream.h"

namespace hearth::host {

struct TlsDoorOptions {
  std::string host = "127.0.0.1";  ///< address or name to listen on
  std::uint16_t port = 0;          ///< 0: any
  bool portMayChange = false;      ///< take any where `port` is in use
  std::string advertise;           ///< the name that drivers dial; empty: host, or this machine's
};

/// Listens there. `port` is set to the one taken. Throws std::runtime_error where it cannot.
std::unique_ptr<LinkDoor> openTlsDoor(EventLoop& loop, const LinkCertificate& certificate,
                                      const TlsDoorOptions& options, std::uint16_t& port);

}  // namespace hearth::host
