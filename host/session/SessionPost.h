// Session::post, for the files that implement Session.
#pragma once

#include <utility>

#include "session/Session.h"

namespace hearth::host {

template <typename Work>
void Session::post(Work work) {
  EventLoop::post(strand_,
                  [self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
}

}  // namespace hearth::host
