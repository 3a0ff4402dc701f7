// Session::post, for the files that implement Session.
#pragma once

#include <boost/asio/post.hpp>
#include <utility>

#include "session/Session.h"

namespace hearth::host {

template <typename Work>
void Session::post(Work work) {
  boost::asio::post(strand_,
                    [self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
}

}  // namespace hearth::host
