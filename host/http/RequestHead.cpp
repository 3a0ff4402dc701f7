#include "http/RequestHead.h"

#include <Poco/Net/HTTPMessage.h>
#include <Poco/NumberParser.h>
#include <Poco/String.h>

#include <array>
#include <boost/algorithm/string/predicate.hpp>
#include <limits>
#include <string>
#include <vector>

#include "http/HttpError.h"

namespace hearth::host {

namespace {

constexpr std::size_t kMethodLength = 32;
// Poco finds the place of a field by going through the others, so that their number must be small.
constexpr int kFields = 256;

constexpr std::array<bool, 256> tokenTable() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kToken = tokenTable();

bool isTokenChar(char c) {
  return kToken[static_cast<unsigned char>(c)];
}

struct RequestLine {
  std::string_view method, target, version;
};

RequestLine splitRequestLine(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    throw HttpError(400, "the request line is not 'method target version'");
  RequestLine parts{line.substr(0, first), line.substr(first + 1, last - first - 1),
                    line.substr(last + 1)};
  if (parts.method.size() > kMethodLength || !RequestHead::isToken(parts.method))
    throw HttpError(400, "the request method is malformed");
  if (parts.target.empty()) throw HttpError(400, "the request target is empty");
  for (const char c : parts.target)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f)
      throw HttpError(400, "the request target has a space or a control character");
  const std::string_view version = parts.version;
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || version[6] != '.' ||
      version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9')
    throw HttpError(400, "the request line does not end in an HTTP version");
  if (version[5] != '1') throw HttpError(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  return parts;
}

// Elements of all fields of that name, as if they had been one comma-separated field.
std::vector<std::string> elements(const Poco::Net::MessageHeader& head, const std::string& name) {
  std::vector<std::string> all;
  for (auto it = head.find(name); it != head.end() && boost::algorithm::iequals(it->first, name);
       ++it) {
    std::string_view rest = it->second;
    for (;;) {
      const std::size_t comma = rest.find(',');
      all.push_back(Poco::trim(std::string(rest.substr(0, comma))));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return all;
}

std::uint64_t parseLength(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
    throw HttpError(400, "Content-Length is not a number");
  Poco::UInt64 value = 0;
  if (!Poco::NumberParser::tryParseUnsigned64(text, value))
    return std::numeric_limits<std::uint64_t>::max();  // digits only, so it is merely too large
  return value;
}

}  // namespace

std::size_t HeadScanner::scan(std::string_view bytes, std::size_t bound) {
  if (firstLine_ && seen_ <= kMethodLength) {
    // Binary bytes (a TLS client, say) may never hold a line end: tell them apart by the method.
    const std::string_view start = bytes.substr(0, kMethodLength + 1);
    const std::string_view method = start.substr(0, start.find(' '));
    if (method.empty() || method.size() > kMethodLength) throw HttpError(400, "this is not HTTP");
    for (const char c : method)
      if (!isTokenChar(c)) throw HttpError(400, "this is not HTTP");
  }
  const std::string_view within = bytes.substr(0, bound);
  for (;;) {
    const std::size_t end = within.find('\n', seen_);
    if (end == std::string_view::npos) break;
    if (end == lineStart_ || within[end - 1] != '\r')
      throw HttpError(400, "a line of the header does not end in CR LF");
    if (firstLine_) splitRequestLine(within.substr(0, end - 1));
    firstLine_ = false;
    const bool empty = end - 1 == lineStart_;
    seen_ = lineStart_ = end + 1;
    if (empty) return lineStart_;
  }
  seen_ = within.size();
  if (bytes.size() >= bound)
    throw HttpError(431, "the request header is longer than " + std::to_string(bound) + " bytes");
  return 0;
}

bool RequestHead::isToken(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!isTokenChar(c)) return false;
  return true;
}

std::pair<std::string_view, std::string_view> RequestHead::splitField(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) throw HttpError(400, "a header line has no colon");
  const std::string_view name = line.substr(0, colon);
  // This refuses folded lines too: they start with a space.
  if (!isToken(name)) throw HttpError(400, "a header name is malformed");
  std::string_view value = line.substr(colon + 1);
  const std::size_t first = value.find_first_not_of(" \t");
  value = first == std::string_view::npos ? std::string_view() : value.substr(first);
  value = value.substr(0, value.find_last_not_of(" \t") + 1);
  for (const char c : value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
      throw HttpError(400, "a header value has a control character");
  return {name, value};
}

RequestHead::RequestHead(std::string_view head) {
  bool first = true;
  int fields = 0;
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    if (first) {
      readRequestLine(line);
      first = false;
    } else if (!line.empty()) {
      if (++fields > kFields)
        throw HttpError(431, "more than " + std::to_string(kFields) + " header fields");
      const auto [name, value] = splitField(line);
      add(std::string(name), std::string(value));
    }
  }
  readFraming();
  readConnection();
}

void RequestHead::readRequestLine(std::string_view line) {
  const RequestLine parts = splitRequestLine(line);
  setMethod(std::string(parts.method));
  setURI(std::string(parts.target));
  http10_ = parts.version[7] == '0';
  setVersion(http10_ ? HTTP_1_0 : HTTP_1_1);
}

void RequestHead::readFraming() {
  const bool hasLength = has(CONTENT_LENGTH);
  if (has(TRANSFER_ENCODING)) {
    // Two statements about where the body ends is how requests are smuggled past a proxy.
    if (hasLength) throw HttpError(400, "both Content-Length and Transfer-Encoding are given");
    if (http10_) throw HttpError(400, "HTTP/1.0 has no Transfer-Encoding");
    const std::vector<std::string> codings = elements(*this, TRANSFER_ENCODING);
    if (codings.size() != 1 || !boost::algorithm::iequals(codings[0], "chunked"))
      throw HttpError(501, "only the transfer encoding 'chunked' is understood");
    framing_ = Framing::Chunked;
  } else if (hasLength) {
    const std::vector<std::string> lengths = elements(*this, CONTENT_LENGTH);
    length_ = parseLength(lengths[0]);
    for (const std::string& other : lengths)
      if (parseLength(other) != length_) throw HttpError(400, "Content-Length is given twice");
    framing_ = length_ ? Framing::Length : Framing::None;
  }
}

void RequestHead::readConnection() {
  keepAlive_ = !http10_;
  bool close = false;
  for (const std::string& option : elements(*this, CONNECTION)) {
    if (boost::algorithm::iequals(option, "close")) close = true;
    if (boost::algorithm::iequals(option, "keep-alive")) keepAlive_ = true;
  }
  if (close) keepAlive_ = false;
  const std::size_t hosts = elements(*this, HOST).size();
  if (hosts > 1 || (hosts == 0 && !http10_))
    throw HttpError(400, "exactly one Host header is needed");
  if (!http10_ && has(EXPECT)) {
    if (!boost::algorithm::iequals(get(EXPECT), "100-continue"))
      throw HttpError(417, "only 'Expect: 100-continue' is understood");
    continue_ = framing_ != Framing::None;
  }
}

}  // namespace hearth::host
