// A request that the server answers itself, because it cannot be handed to a handler.
#pragma once

#include <stdexcept>
#include <string>

namespace hearth::host {

/// Thrown while a request is read; becomes an answer with `status` after which the connection
/// closes.
class HttpError : public std::runtime_error {
 public:
  HttpError(int status, const std::string& text) : std::runtime_error(text), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

}  // namespace hearth::host
