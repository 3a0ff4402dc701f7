#include "http/ContentCoding.h"

#include <Poco/DeflatingStream.h>
#include <Poco/Exception.h>
#include <Poco/InflatingStream.h>
#include <Poco/MemoryStream.h>
#include <Poco/Net/MessageHeader.h>
#include <Poco/Net/NameValueCollection.h>
#include <Poco/NumberParser.h>
#include <Poco/String.h>

#include <array>
#include <cstdint>
#include <ostream>
#include <vector>

#include "http/HttpError.h"
#include "http/StringSink.h"

namespace hearth::host {

namespace {

constexpr std::size_t kWorthwhile = 1024;
// The fastest level: text shrinks to a fifth already, and the work is done on a server thread.
constexpr int kLevel = 1;
// zlib's notation for a deflate stream without its header, which some clients send as "deflate".
constexpr int kRawDeflate = -15;

unsigned byteAt(const std::string& text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool hasZlibHeader(const std::string& packed) {
  return packed.size() >= 2 && (byteAt(packed, 0) & 0x0f) == 8 &&
         (byteAt(packed, 0) * 256 + byteAt(packed, 1)) % 31 == 0;
}

std::string inflate(Poco::InflatingInputStream& stream, std::size_t bound) {
  std::string plain;
  std::array<char, 16 * 1024> piece;
  // Through the buffer, not the stream: the stream would swallow the exception of a broken body.
  std::streambuf& source = *stream.rdbuf();
  for (;;) {
    const auto size = static_cast<std::size_t>(source.sgetn(piece.data(), piece.size()));
    if (plain.size() + size > bound)
      throw HttpError(
          413, "the decompressed request body is longer than " + std::to_string(bound) + " bytes");
    plain.append(piece.data(), size);
    if (size < piece.size()) break;
  }
  // At the end of a stream that was cut off Poco reports its end once, and an error only after it.
  source.sgetc();
  return plain;
}

std::string inflateGzip(const std::string& packed, std::size_t bound) {
  Poco::MemoryInputStream memory(packed.data(), static_cast<std::streamsize>(packed.size()));
  Poco::InflatingInputStream stream(memory, Poco::InflatingStreamBuf::STREAM_GZIP);
  std::string plain = inflate(stream, bound);
  // Poco stops after the first member of a gzip file; the length at the very end tells whether it
  // was the only one, so that no content is lost unnoticed.
  std::uint32_t length = 0;
  if (packed.size() < 18) throw HttpError(400, "the gzip request body is cut off");
  for (std::size_t i = 0; i < 4; ++i)
    length |= static_cast<std::uint32_t>(byteAt(packed, packed.size() - 4 + i)) << (8 * i);
  if (length != static_cast<std::uint32_t>(plain.size()))
    throw HttpError(400, "the gzip request body has something after its end");
  return plain;
}

std::string inflateDeflate(const std::string& packed, std::size_t bound) {
  Poco::MemoryInputStream memory(packed.data(), static_cast<std::streamsize>(packed.size()));
  if (hasZlibHeader(packed)) {
    Poco::InflatingInputStream stream(memory, Poco::InflatingStreamBuf::STREAM_ZLIB);
    return inflate(stream, bound);
  }
  Poco::InflatingInputStream stream(memory, kRawDeflate);
  return inflate(stream, bound);
}

}  // namespace

std::string decodeContent(const std::string& contentEncoding, std::string body, std::size_t bound) {
  constexpr std::size_t kCodings = 4;
  std::vector<std::string> codings;
  Poco::Net::MessageHeader::splitElements(contentEncoding, codings);
  if (codings.size() > kCodings) throw HttpError(400, "the request body is encoded too often");
  for (auto coding = codings.rbegin(); coding != codings.rend(); ++coding) {
    const std::string name = Poco::toLower(*coding);
    const bool isGzip = name == "gzip" || name == "x-gzip";
    if (body.empty() || (!isGzip && name != "deflate")) continue;
    try {
      body = isGzip ? inflateGzip(body, bound) : inflateDeflate(body, bound);
    } catch (const Poco::Exception&) {
      throw HttpError(400, "the request body is not valid " + name);
    }
  }
  return body;
}

bool prefersGzip(const std::string& acceptEncoding) {
  if (acceptEncoding.empty()) return false;
  double gzipWeight = -1, anyWeight = 0, plainWeight = 0;
  std::vector<std::string> choices;
  Poco::Net::MessageHeader::splitElements(acceptEncoding, choices);
  for (const std::string& choice : choices) {
    std::string name;
    Poco::Net::NameValueCollection details;
    Poco::Net::MessageHeader::splitParameters(choice, name, details);
    double weight = 1;
    if (!Poco::NumberParser::tryParseFloat(details.get("q", "1"), weight)) weight = 0;
    name = Poco::toLower(name);
    if (name == "gzip" || name == "x-gzip") gzipWeight = weight;
    if (name == "*") anyWeight = weight;
    if (name == "identity") plainWeight = weight;
  }
  if (gzipWeight < 0) gzipWeight = anyWeight;
  return gzipWeight > 0 && gzipWeight >= plainWeight;
}

bool worthGzip(const std::string& contentType, std::size_t length) {
  if (length < kWorthwhile) return false;
  const std::string type = Poco::toLower(Poco::trim(contentType.substr(0, contentType.find(';'))));
  const auto endsIn = [&type](const std::string& tail) {
    return type.size() > tail.size() &&
           type.compare(type.size() - tail.size(), tail.size(), tail) == 0;
  };
  // An event stream is text as well, but one that must not be held back by a compressor.
  return (type.rfind("text/", 0) == 0 && type != "text/event-stream") || endsIn("/json") ||
         endsIn("+json") || endsIn("/javascript");
}

std::string gzip(const std::string& body) {
  std::string packed;
  packed.reserve(body.size() / 4);
  StringSink sink(packed);
  std::ostream out(&sink);
  Poco::DeflatingOutputStream deflater(out, Poco::DeflatingStreamBuf::STREAM_GZIP, kLevel);
  deflater.write(body.data(), static_cast<std::streamsize>(body.size()));
  deflater.close();
  return packed;
}

}  // namespace hearth::host
