#include "http/RequestTarget.h"

#include <Poco/Exception.h>
#include <Poco/URI.h>

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <string_view>

#include "http/HttpError.h"

namespace hearth::host {

namespace {

bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    if (length > 2) {
      const auto next = static_cast<unsigned char>(text[i + 1]);
      // Overlong forms, surrogates, and what lies beyond U+10FFFF.
      if ((lead == 0xe0 && next < 0xa0) || (lead == 0xed && next >= 0xa0) ||
          (lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next >= 0x90))
        return false;
    }
    i += length;
  }
  return true;
}

std::string decode(std::string_view raw) {
  std::string text;
  try {
    Poco::URI::decode(std::string(raw), text);
  } catch (const Poco::Exception&) {
    throw HttpError(400, "the request target has a malformed percent code");
  }
  if (text.find('\0') != std::string::npos || !isUtf8(text))
    throw HttpError(400, "the request target does not decode to UTF-8 text");
  return text;
}

std::string decodeParameter(std::string_view raw) {
  std::string plain(raw);
  std::replace(plain.begin(), plain.end(), '+', ' ');
  return decode(plain);
}

void readPath(std::string_view raw, Request& request) {
  while (raw.size() > 1 && raw.back() == '/') raw.remove_suffix(1);
  if (raw == "/") {
    request.path = "/";
    return;
  }
  for (std::size_t at = 1;;) {
    const std::size_t slash = raw.find('/', at);
    std::string segment =
        decode(raw.substr(at, slash == std::string_view::npos ? slash : slash - at));
    if (segment == "." || segment == "..")
      throw HttpError(400, "the request target has a dot segment");
    request.path.append(1, '/').append(segment);
    request.segments.push_back(std::move(segment));
    if (slash == std::string_view::npos) return;
    at = slash + 1;
  }
}

void readQuery(std::string_view query, Request& request) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string value;
    if (equals != std::string_view::npos) value = decodeParameter(pair.substr(equals + 1));
    request.parameters.emplace_back(decodeParameter(pair.substr(0, equals)), std::move(value));
  }
}

}  // namespace

void readTarget(const std::string& target, Request& request) {
  std::string_view rest = target;
  if (rest == "*") {
    request.path = "*";
    request.segments = {"*"};
    return;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!boost::algorithm::istarts_with(rest, scheme)) continue;
    rest.remove_prefix(scheme.size());
    const std::size_t end = rest.find_first_of("/?");
    if (end == 0 || rest.empty()) throw HttpError(400, "the request target names no host");
    rest.remove_prefix(std::min(end, rest.size()));
    break;
  }
  if (rest.size() == target.size() && rest[0] != '/')
    throw HttpError(400, "the request target is neither a path nor a URL");
  if (rest.find('#') != std::string_view::npos)
    throw HttpError(400, "the request target has a fragment");
  const std::size_t mark = rest.find('?');
  if (mark != std::string_view::npos) request.query = rest.substr(mark + 1);
  const std::string_view path = rest.substr(0, mark);
  readPath(path.empty() ? std::string_view("/") : path, request);
  readQuery(request.query, request);
}

}  // namespace hearth::host
