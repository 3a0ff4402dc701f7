// The head of a request: finding where it ends, reading it, and what it says about the body.
#pragma once

#include <Poco/Net/HTTPRequest.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace hearth::host {

/// Finds the end of a head in bytes that arrive piece by piece. Each byte is looked at once, and
/// bytes that cannot become a request are refused as soon as they are seen.
class HeadScanner {
 public:
  /// `bytes` starts at the request line and only grows from call to call. Returns the length of the
  /// head with its empty line, 0 while it is incomplete. Throws HttpError 400 (not HTTP), 505 or
  /// 431 (longer than `bound`).
  std::size_t scan(std::string_view bytes, std::size_t bound);
  /// Makes ready for the next head.
  void reset() { *this = HeadScanner(); }
  /// Whether no byte has been seen since reset().
  bool atStart() const { return seen_ == 0; }

 private:
  std::size_t lineStart_ = 0;
  std::size_t seen_ = 0;
  bool firstLine_ = true;
};

/// A request line and its fields. Poco's own HTTPRequest::read is not used: it skips lines without
/// a colon, decodes `=?utf-8?..?=` words (which can put a line break into a value) and stops at 8
/// KiB per value, where a Kerberos ticket is longer.
class RequestHead : public Poco::Net::HTTPRequest {
 public:
  /// How the length of the body is known.
  enum class Framing { None, Length, Chunked };

  /// Reads a whole head as found by HeadScanner. Throws HttpError: 400, 417, 431, 501, 505.
  explicit RequestHead(std::string_view head);

  Framing framing() const { return framing_; }
  /// The body's length where framing() is Length.
  std::uint64_t length() const { return length_; }
  bool http10() const { return http10_; }
  /// Whether the client wants the connection kept.
  bool wantsKeepAlive() const { return keepAlive_; }
  /// Whether the client waits for "100 Continue" before it sends the body.
  bool wantsContinue() const { return continue_; }

  /// Checks a line "name: value" without its line end and splits it. Throws HttpError 400.
  static std::pair<std::string_view, std::string_view> splitField(std::string_view line);
  /// Whether `text` is a token as RFC 9110 has it (method, field name).
  static bool isToken(std::string_view text);

 private:
  void readRequestLine(std::string_view line);
  void readFraming();
  void readConnection();

  Framing framing_ = Framing::None;
  std::uint64_t length_ = 0;
  bool http10_ = false;
  bool keepAlive_ = true;
  bool continue_ = false;
};

}  // namespace hearth::host
