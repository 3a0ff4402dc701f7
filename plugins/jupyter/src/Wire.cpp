#include "Wire.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <ctime>
#include <hearth/plugin.hpp>
#include <memory>
#include <utility>

namespace hearth::jupyter {

namespace json = boost::json;

namespace {

constexpr std::string_view delimiter = "<IDS|MSG>";
constexpr std::size_t signedParts = 4;  // header, parent header, metadata, content

// Deeper than any table or tree that a kernel shows, and no danger to the stack.
json::parse_options deep() {
  json::parse_options options;
  options.max_depth = 500;
  return options;
}

std::string hex(const unsigned char* bytes, std::size_t count) {
  static const char* const digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::size_t delimiterAt(const FrameViews& frames) {
  const auto found = std::find(frames.begin(), frames.end(), delimiter);
  if (found == frames.end()) throw WireError("it has no delimiter");
  const auto at = static_cast<std::size_t>(found - frames.begin());
  if (frames.size() - at < 2 + signedParts) throw WireError("it has too few parts");
  return at;
}

json::object parseObject(std::string_view text, const char* what) {
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, {}, deep());
  if (error || !value.is_object()) throw WireError(std::string("its ") + what + " is no object");
  return std::move(value.get_object());
}

std::string member(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// Takes JSON and makes nothing of it.
struct Nothing {
  static constexpr std::size_t max_object_size = -1;
  static constexpr std::size_t max_array_size = -1;
  static constexpr std::size_t max_key_size = -1;
  static constexpr std::size_t max_string_size = -1;
  using Error = json::error_code;
  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t, Error&) { return true; }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t, Error&) { return true; }
  bool on_key_part(json::string_view, std::size_t, Error&) { return true; }
  bool on_key(json::string_view, std::size_t, Error&) { return true; }
  bool on_string_part(json::string_view, std::size_t, Error&) { return true; }
  bool on_string(json::string_view, std::size_t, Error&) { return true; }
  bool on_number_part(json::string_view, Error&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Error&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, Error&) { return true; }
  bool on_double(double, json::string_view, Error&) { return true; }
  bool on_bool(bool, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(json::string_view, Error&) { return true; }
  bool on_comment(json::string_view, Error&) { return true; }
};

bool isObject(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] != '{') return false;
  json::basic_parser<Nothing> parser(deep());
  json::error_code error;
  const std::size_t end = parser.write_some(false, text.data(), text.size(), error);
  return !error && text.find_first_not_of(" \t\r\n", end) == std::string_view::npos;
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The code unit of the escape \uXXXX at `at`, or -1.
int unitAt(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  for (std::size_t i = 2; i < 6; ++i) {
    const int digit = hexDigit(text[at + i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool isHigh(int unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool isLow(int unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

/// Length of the UTF-8 character at `at`, 0 where there is none.
std::size_t characterAt(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  const unsigned char second = byte(at + 1);
  const bool bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                   (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return bad ? 0 : length;
}

}  // namespace

std::string randomHex(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1)
    throw std::runtime_error("the system gives no random bytes");
  return hex(bytes.data(), bytes.size());
}

std::string repairJson(std::string_view text) {
  static constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\\') {
      const int unit = unitAt(text, at);
      if (isHigh(unit) && isLow(unitAt(text, at + 6))) {
        out += text.substr(at, 12);
        at += 12;
      } else if (isHigh(unit) || isLow(unit)) {
        out += replacement;
        at += 6;
      } else {
        out += text.substr(at, 2);
        at += 2;
      }
      continue;
    }
    const std::size_t length = characterAt(text, at);
    out += length == 0 ? replacement : text.substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

Wire::Wire(std::string key) : key_(std::move(key)), session_(randomHex(16)) {}

std::string Wire::nextId() {
  return session_ + "_" + std::to_string(++count_);
}

Frames Wire::encode(const std::string& id, std::string_view type, const std::string& content,
                    const std::string& parentHeader) const {
  const std::string header =
      "{\"msg_id\":" + hearth::quoted(id) + ",\"msg_type\":" + hearth::quoted(type) +
      ",\"session\":" + hearth::quoted(session_) + ",\"username\":\"hearth\",\"date\":\"" + now() +
      "\",\"version\":\"5.3\"}";
  const std::array<std::string_view, signedParts> parts{header, parentHeader, "{}", content};
  Frames frames{std::string(delimiter), sign(parts.data())};
  frames.insert(frames.end(), parts.begin(), parts.end());
  return frames;
}

Message Wire::decode(const FrameViews& frames) const {
  const std::size_t at = delimiterAt(frames);
  const std::string expected = sign(&frames[at + 2]);
  const std::string_view given = frames[at + 1];
  if (given.size() != expected.size() ||
      CRYPTO_memcmp(given.data(), expected.data(), expected.size()) != 0)
    throw WireError("its signature is wrong");

  const json::object header = parseObject(frames[at + 2], "header");
  const json::object parent = parseObject(frames[at + 3], "parent header");
  Message message;
  message.type = member(header, "msg_type");
  message.id = member(header, "msg_id");
  message.parentId = member(parent, "msg_id");
  message.content = frames[at + 5];
  if (message.type.empty()) throw WireError("its header names no type");
  if (isObject(message.content)) return message;
  auto repaired = std::make_shared<std::string>(repairJson(message.content));
  if (!isObject(*repaired)) {
    // Somebody waits for a reply, and is told.
    const bool reply =
        message.type.size() > 6 && message.type.compare(message.type.size() - 6, 6, "_reply") == 0;
    if (!reply) throw WireError("its content is no object");
    *repaired =
        R"({"status":"error","ename":"ProtocolError","evalue":"the kernel's reply cannot be read",)"
        R"("traceback":[]})";
  }
  message.content = *repaired;
  message.repaired = std::move(repaired);
  return message;
}

std::string Wire::header(const FrameViews& frames) {
  return std::string(frames[delimiterAt(frames) + 2]);
}

std::string Wire::sign(const std::string_view* parts) const {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_private_key(
          EVP_PKEY_HMAC, nullptr, reinterpret_cast<const unsigned char*>(key_.data()), key_.size()),
      &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> work(EVP_MD_CTX_new(),
                                                                     &EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t length = digest.size();
  bool good =
      key && work && EVP_DigestSignInit(work.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1;
  for (std::size_t i = 0; good && i < signedParts; ++i)
    good = EVP_DigestSignUpdate(work.get(), parts[i].data(), parts[i].size()) == 1;
  if (!good || EVP_DigestSignFinal(work.get(), digest.data(), &length) != 1)
    throw std::runtime_error("HMAC-SHA256 cannot be computed");
  return hex(digest.data(), length);
}

}  // namespace hearth::jupyter
