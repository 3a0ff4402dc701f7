// gzip and deflate: of request bodies on the way in, of responses on the way out.
#pragma once

#include <cstddef>
#include <string>

namespace hearth::host {

/// Undoes the codings that a Content-Encoding header names, last one first. Names other than gzip
/// and deflate are passed over: there are clients that send `UTF-8`. Throws HttpError 413 where the
/// result would be longer than `bound`, 400 where the body is not what the header says.
std::string decodeContent(const std::string& contentEncoding, std::string body, std::size_t bound);

/// Whether an Accept-Encoding header prefers gzip to the plain form.
bool prefersGzip(const std::string& acceptEncoding);
/// Whether a body of that Content-Type and length is text long enough to gain from compression.
bool worthGzip(const std::string& contentType, std::size_t length);
/// The gzip form of `body`.
std::string gzip(const std::string& body);

}  // namespace hearth::host
