// Bodies sent in chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::host {

/// Reads a chunked body from bytes that arrive piece by piece. Everything a client can make long is
/// bounded: the content, the lines with sizes, the trailer (which is checked and dropped).
class ChunkedDecoder {
 public:
  /// `bound`: most bytes of content.
  explicit ChunkedDecoder(std::size_t bound) : bound_(bound) {}

  /// Appends the content found in `bytes` to `body`; returns how many bytes belong to the body,
  /// fewer than given only once done(). Throws HttpError 400, 413 or 431.
  std::size_t feed(std::string_view bytes, std::string& body);
  bool done() const { return state_ == State::Done; }

 private:
  enum class State { Size, Data, DataEnd, Trailer, Done };

  bool takeLine(std::string_view bytes, std::size_t& at, std::size_t bound, int status);
  void endSizeLine(std::size_t have);
  void endTrailerLine();

  std::size_t bound_;
  std::uint64_t left_ = 0;  ///< of the chunk in hand
  std::size_t trailerBytes_ = 0;
  std::string line_;  ///< a line not yet complete
  State state_ = State::Size;
};

}  // namespace hearth::host
