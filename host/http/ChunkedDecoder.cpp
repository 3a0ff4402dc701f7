#include "http/ChunkedDecoder.h"

#include <algorithm>

#include "http/HttpError.h"
#include "http/RequestHead.h"

namespace hearth::host {

namespace {

constexpr std::size_t kSizeLine = 256;
constexpr std::size_t kTrailer = 8 * 1024;
constexpr std::size_t kSizeDigits = 15;  // cannot overflow 64 bits

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::size_t ChunkedDecoder::feed(std::string_view bytes, std::string& body) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::Done) {
    switch (state_) {
      case State::Size:
        if (takeLine(bytes, at, kSizeLine, 400)) endSizeLine(body.size());
        break;
      case State::Data: {
        const auto take =
            static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
        body.append(bytes.substr(at, take));
        at += take;
        left_ -= take;
        if (left_ == 0) state_ = State::DataEnd;
        break;
      }
      case State::DataEnd:
        if (takeLine(bytes, at, 2, 400)) {
          if (!line_.empty()) throw HttpError(400, "a chunk is longer than its size says");
          state_ = State::Size;
        }
        break;
      case State::Trailer:
        if (takeLine(bytes, at, kTrailer - std::min(kTrailer, trailerBytes_), 431))
          endTrailerLine();
        break;
      case State::Done:
        break;
    }
  }
  return at;
}

// Collects into line_ up to the line end; true once it is there, and line_ is without it.
bool ChunkedDecoder::takeLine(std::string_view bytes, std::size_t& at, std::size_t bound,
                              int status) {
  const std::size_t end = bytes.find('\n', at);
  const std::size_t stop = end == std::string_view::npos ? bytes.size() : end + 1;
  if (line_.size() + (stop - at) > bound)
    throw HttpError(status, "a line between the chunks of the body is too long");
  line_.append(bytes.substr(at, stop - at));
  at = stop;
  if (end == std::string_view::npos) return false;
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r')
    throw HttpError(400, "a line between the chunks of the body does not end in CR LF");
  line_.resize(line_.size() - 2);
  return true;
}

void ChunkedDecoder::endSizeLine(std::size_t have) {
  std::size_t digits = 0;
  left_ = 0;
  for (; digits < line_.size() && hexValue(line_[digits]) >= 0; ++digits) {
    if (digits == kSizeDigits) throw HttpError(413, "a chunk of the body is too large");
    left_ = left_ * 16 + static_cast<unsigned>(hexValue(line_[digits]));
  }
  const std::size_t next = line_.find_first_not_of(" \t", digits);
  if (digits == 0 || (next != std::string::npos && line_[next] != ';') ||
      (next == std::string::npos && digits != line_.size()))
    throw HttpError(400, "a chunk of the body has a malformed size");
  for (const char c : line_)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
      throw HttpError(400, "a chunk of the body has a malformed size");
  if (left_ > bound_ - std::min(bound_, have))
    throw HttpError(413, "the request body is longer than " + std::to_string(bound_) + " bytes");
  line_.clear();
  state_ = left_ ? State::Data : State::Trailer;
}

void ChunkedDecoder::endTrailerLine() {
  if (line_.empty()) {
    state_ = State::Done;
    line_.shrink_to_fit();
    return;
  }
  RequestHead::splitField(line_);
  trailerBytes_ += line_.size() + 2;
  line_.clear();
}

}  // namespace hearth::host
