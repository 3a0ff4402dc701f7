#include "link/Handshake.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "submit/PrivateFile.h"

namespace hearth::host {

namespace {

namespace json = boost::json;

constexpr std::size_t secretBytes = 32;

std::string toHex(const unsigned char* bytes, std::size_t size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool isHexNumber(std::string_view text) {
  if (text.size() != secretBytes * 2) return false;
  for (const char c : text)
    if (hexDigit(c) < 0) return false;
  return true;
}

std::optional<json::object> parseObject(const std::string& text) {
  json::parse_options options;
  options.max_depth = 4;
  json::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::string stringOf(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->as_string());
}

std::optional<std::uint64_t> numberOf(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_uint64()) return value->as_uint64();
  if (value->is_int64() && value->as_int64() >= 0)
    return static_cast<std::uint64_t>(value->as_int64());
  return std::nullopt;
}

[[noreturn]] void failWith(const std::string& what, int error) {
  throw std::runtime_error(what + ": " + std::system_category().message(error));
}

}  // namespace

std::string randomHex() {
  std::array<unsigned char, secretBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("OpenSSL has no random numbers to give");
  return toHex(bytes.data(), bytes.size());
}

std::string linkProof(const std::string& secret, std::string_view side,
                      const std::string& driverNonce, const std::string& hostNonce) {
  if (!isHexNumber(secret)) throw std::invalid_argument("a link's secret is 64 hex digits");
  std::array<unsigned char, secretBytes> key{};
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<unsigned char>(hexDigit(secret[2 * i]) * 16 + hexDigit(secret[2 * i + 1]));

  const std::string text = std::string(side) + ":" + driverNonce + ":" + hostNonce;
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  const bool made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         mac.data(), &size) != nullptr;
  OPENSSL_cleanse(key.data(), key.size());
  if (!made) throw std::runtime_error("OpenSSL cannot compute HMAC-SHA256");
  return toHex(mac.data(), size);
}

bool sameProof(const std::string& left, const std::string& right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::optional<Hello> parseHello(const std::string& payload, std::string& why) {
  const std::optional<json::object> object = parseObject(payload);
  if (!object) {
    why = "HELLO is not a JSON object";
    return std::nullopt;
  }
  if (numberOf(*object, "protocol") != std::uint64_t{linkProtocol}) {
    why = "this host speaks protocol " + std::to_string(linkProtocol);
    return std::nullopt;
  }
  Hello hello;
  hello.session = stringOf(*object, "session");
  hello.nonce = stringOf(*object, "nonce");
  const std::optional<std::uint64_t> received = numberOf(*object, "received");
  if (hello.session.empty() || !isHexNumber(hello.nonce) || !received) {
    why = "HELLO needs session, nonce (64 lower-case hex digits) and received";
    return std::nullopt;
  }
  hello.received = *received;
  return hello;
}

std::string parseProof(const std::string& payload) {
  const std::optional<json::object> object = parseObject(payload);
  return object ? stringOf(*object, "proof") : std::string();
}

void writeLinkFile(const std::string& path, const LinkFile& file) {
  json::object object{{"protocol", linkProtocol},
                      {"session", file.session},
                      {"endpoint", file.endpoint},
                      {"secret", file.secret},
                      {"orphan_seconds", file.orphanSeconds}};
  if (!file.pin.empty()) object["pin"] = file.pin;
  submit::writePrivateFile(path, json::serialize(object) + "\n");
}

LinkFile readLinkFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) failWith("cannot read " + path, errno);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const std::optional<json::object> object = parseObject(text);
  LinkFile file;
  if (object) {
    file.session = stringOf(*object, "session");
    file.endpoint = stringOf(*object, "endpoint");
    file.pin = stringOf(*object, "pin");
    file.secret = stringOf(*object, "secret");
    file.orphanSeconds = static_cast<std::int64_t>(numberOf(*object, "orphan_seconds").value_or(0));
  }
  if (file.session.empty() || !isHexNumber(file.secret))
    throw std::runtime_error(path + " is not a link file");
  return file;
}

}  // namespace hearth::host
