// What the server tells systemd of itself (sd_notify(3)): nothing where it is not its service.
#pragma once

#include <chrono>
#include <string>

namespace hearth::host::service {

void ready();
void reloading();  ///< ready() follows
/// It ends, and may take so long.
void stopping(std::chrono::milliseconds time);

}  // namespace hearth::host::service
