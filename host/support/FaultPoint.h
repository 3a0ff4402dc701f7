// Named points in the host at which tests make it die, stop, wait or fail. Compiled in where
// CMake's HEARTH_FAULT_POINTS is on; only source files may include this, no header.
//
// HEARTH_FAULTS arms them: "store.commit.after=kill@3,link.send.before=delay:50@2+" kills the
// process when it passes the first point for the third time, and delays the second point by 50 ms
// from its second time on. Without @N it is the first time. What is done is said on stderr first:
// "fault store.commit.after kill".
#pragma once

#ifdef HEARTH_FAULT_POINTS
#include <atomic>
#endif

namespace hearth::host {

/// What is left for the caller to do.
enum class Fault { none, error, cut, dup };

#ifdef HEARTH_FAULT_POINTS

namespace faults {
extern std::atomic<bool> armed;
Fault pass(const char* name);
}  // namespace faults

/// Passes the point `name`, which is in FaultPoints.inc. Any thread.
inline Fault faultPoint(const char* name) {
  return faults::armed.load(std::memory_order_relaxed) ? faults::pass(name) : Fault::none;
}

#else

inline Fault faultPoint(const char*) {
  return Fault::none;
}

#endif

}  // namespace hearth::host
