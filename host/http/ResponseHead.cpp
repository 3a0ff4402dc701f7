#include "http/ResponseHead.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Timestamp.h>

#include <boost/algorithm/string/predicate.hpp>
#include <ctime>
#include <ostream>
#include <string_view>

#include "http/RequestHead.h"
#include "http/StringSink.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

// Formatted once per second and thread: it costs as much as the rest of the head.
const std::string& dateNow() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    second = now;
    text = Poco::DateTimeFormatter::format(Poco::Timestamp::fromEpochTime(now),
                                           Poco::DateTimeFormat::HTTP_FORMAT);
  }
  return text;
}

bool isOurs(const std::string& name) {
  for (const std::string_view ours :
       {"Date", "Content-Length", "Connection", "Transfer-Encoding", "Content-Type"})
    if (boost::algorithm::iequals(name, ours)) return true;
  return false;
}

bool isSafe(const std::string& name, const std::string& value) {
  if (!RequestHead::isToken(name)) return false;
  for (const char c : value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
  return true;
}

}  // namespace

std::string writeHead(const Response& response, const ResponseFraming& framing) {
  using Poco::Net::HTTPResponse;
  const auto status = static_cast<HTTPResponse::HTTPStatus>(response.status);
  HTTPResponse head(HTTPResponse::HTTP_1_1, status, HTTPResponse::getReasonForStatus(status));
  head.add("Date", dateNow());
  for (const auto& [name, value] : response.headers) {
    if (isOurs(name)) continue;
    if (isSafe(name, value))
      head.add(name, value);
    else
      log().error("response header '{}' has a control character and is left out",
                  name.substr(0, 64));
  }
  if (!response.contentType.empty() && isSafe("Content-Type", response.contentType))
    head.add("Content-Type", response.contentType);
  if (framing.gzipped) head.add("Content-Encoding", "gzip");
  if (framing.vary) head.add("Vary", "Accept-Encoding");
  // RFC 9110 forbids the length of what cannot have a body.
  if (framing.chunked)
    head.add("Transfer-Encoding", "chunked");
  else if (response.status != 204 && !framing.unbounded)
    head.add("Content-Length", std::to_string(framing.length));
  if (framing.close)
    head.add("Connection", "close");
  else if (framing.keepAlive)
    head.add("Connection", "keep-alive");
  std::string text;
  text.reserve(512);
  StringSink sink(text);
  std::ostream out(&sink);
  head.write(out);
  return text;
}

}  // namespace hearth::host
