// The server: builds the object graph, serves until a signal, takes it down in order.
#pragma once

#include <functional>

#include "config/Settings.h"

namespace hearth::host {

/// Prints `listening on http://HOST:PORT` to stdout when ready; returns after SIGTERM or SIGINT
/// with the exit status. `load` reads the configuration, again at each SIGHUP. Throws what keeps it
/// from starting, with a text for people. Main thread only.
int serve(const std::function<Settings()>& load);

}  // namespace hearth::host
