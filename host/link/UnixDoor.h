// Drivers of this machine connect here: a Unix socket.
#pragma once

#include <memory>
#include <string>

#include "link/LinkStream.h"

namespace hearth::host {

/// Listens on `path` (mode 0600) and turns away processes of other users. Throws std::runtime_error
/// where it cannot listen; the socket of a host that has ended is no obstacle.
std::unique_ptr<LinkDoor> openUnixDoor(EventLoop& loop, const std::string& path);

}  // namespace hearth::host
