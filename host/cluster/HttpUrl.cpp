#include "cluster/HttpUrl.h"

#include <algorithm>
#include <cctype>

namespace hearth::host {

namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::optional<HttpUrl> HttpUrl::parse(std::string_view text) {
  HttpUrl url;
  const auto startsWith = [&](std::string_view scheme) {
    return text.size() > scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), text.begin(), [](char wanted, char given) {
             return wanted == std::tolower(static_cast<unsigned char>(given));
           });
  };
  if (startsWith("https://"))
    url.secure = true;
  else if (!startsWith("http://"))
    return std::nullopt;
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return std::nullopt;
  text.remove_prefix(url.secure ? 8 : 7);

  const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, end);
  std::string_view rest = text.substr(end);
  rest = rest.substr(0, rest.find('#'));
  url.target = (rest.empty() || rest.front() != '/' ? "/" : "") + std::string(rest);

  if (authority.find('@') != std::string_view::npos) return std::nullopt;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    url.host = std::string(authority.substr(1, close - 1));
    authority.remove_prefix(close + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = std::string(authority.substr(0, colon));
    authority.remove_prefix(colon);
  }
  if (url.host.empty()) return std::nullopt;
  if (authority.empty()) {
    url.port = url.secure ? "443" : "80";
    return url;
  }
  if (authority.front() != ':') return std::nullopt;
  authority.remove_prefix(1);
  if (authority.empty() || authority.size() > 5 ||
      !std::all_of(authority.begin(), authority.end(), isDigit))
    return std::nullopt;
  url.port = std::string(authority);
  return url;
}

std::string HttpUrl::origin() const {
  return (secure ? "https://" : "http://") + bracketed(host) + ":" + port;
}

std::string HttpUrl::authority() const {
  return port == (secure ? "443" : "80") ? bracketed(host) : bracketed(host) + ":" + port;
}

std::string queryValue(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~' || c == ',') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[byte >> 4];
      encoded += digits[byte & 15];
    }
  }
  return encoded;
}

}  // namespace hearth::host
