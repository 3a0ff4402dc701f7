// A process of an earlier run of the host, in place of one of this run's.
#pragma once

#include <memory>

#include "process/ForeignProcess.h"
#include "process/Process.h"

namespace hearth::host {

/// As Launcher::spawn() for a process without pipes; its exit is told with status -1 and signal 0.
/// Null where it is gone.
std::shared_ptr<Process> adoptProcess(EventLoop& loop, const ProcessIdentity& identity,
                                      EventLoop::Strand strand, Process::Events events);

}  // namespace hearth::host
