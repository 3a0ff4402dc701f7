// The head of a response as it goes onto the wire.
#pragma once

#include <cstddef>
#include <string>

#include "http/Message.h"

namespace hearth::host {

/// What the connection decides about an answer, apart from what the handler does.
struct ResponseFraming {
  std::size_t length = 0;  ///< Content-Length
  bool chunked = false;    ///< in place of a length
  bool unbounded = false;  ///< neither: the end of the connection is the end of the body
  bool close = false;      ///< the connection is closed afterwards
  bool keepAlive = false;  ///< say so: an HTTP/1.0 client expects it
  bool gzipped = false;    ///< the body is in gzip form
  bool vary = false;       ///< the form depended on Accept-Encoding
};

/// Writes status line and fields with the empty line. Fields that the server answers for (Date,
/// Content-Length, Connection, Transfer-Encoding) are left out of response.headers; one with a
/// control character is left out and logged, since it would let its author forge a response.
std::string writeHead(const Response& response, const ResponseFraming& framing);

}  // namespace hearth::host
