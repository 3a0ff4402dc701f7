// A driver of the tests: speaks the link by hand, so that it can also speak it wrong.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "link/Frame.h"
#include "link/Handshake.h"
#include "link/LinkServer.h"

namespace hearth::test {

using namespace hearth::host;

/// Frames and events of a Link as they came; waits for them.
class Recorder {
 public:
  Link::Events events() {
    return {[this](Link::Event event) {
              const std::lock_guard<std::mutex> lock(mutex_);
              events_.push_back(event);
              changed_.notify_all();
            },
            [this](Frame frame) {
              const std::lock_guard<std::mutex> lock(mutex_);
              frames_.push_back(std::move(frame));
              changed_.notify_all();
            }};
  }
  bool waitFrames(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return frames_.size() >= count; });
  }
  bool waitEvents(std::vector<Link::Event> expected) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return events_ == expected; });
  }
  std::vector<Frame> frames() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return frames_;
  }
  std::vector<Link::Event> seen() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return events_;
  }

  static constexpr std::chrono::seconds patience{20};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Link::Event> events_;
  std::vector<Frame> frames_;
};

/// A TCP connection to a port of this machine. Owned by the caller; -1 where nobody listens.
inline int dial(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

struct TlsTo {
  std::uint16_t port;
};

class Driver {
 public:
  /// By TLS, whoever answers: pin() says who.
  explicit Driver(TlsTo to) : fd_(dial(to.port)) {
    ::signal(SIGPIPE, SIG_IGN);
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    tls_ = SSL_new(context);
    SSL_CTX_free(context);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = fd_ >= 0 && SSL_set_fd(tls_, fd_) == 1 && SSL_connect(tls_) == 1;
  }
  explicit Driver(const std::string& socket) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket.c_str(), socket.size() + 1);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Driver() { hangUp(); }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  bool connected() const { return connected_; }
  void hangUp() {
    SSL_free(std::exchange(tls_, nullptr));
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// SHA-256 of the certificate of who answered, in hex.
  std::string pin() const {
    X509* const certificate = SSL_get1_peer_certificate(tls_);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    X509_digest(certificate, EVP_sha256(), digest, &size);
    X509_free(certificate);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
      char part[3];
      std::snprintf(part, sizeof part, "%02x", digest[i]);
      hex += part;
    }
    return hex;
  }

  /// False when the host has hung up.
  bool writeBytes(const std::string& bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
      const ssize_t part =
          tls_ != nullptr ? SSL_write(tls_, bytes.data() + at, static_cast<int>(bytes.size() - at))
                          : ::send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (part <= 0) return false;
      at += static_cast<std::size_t>(part);
    }
    return true;
  }
  static std::string bytesOf(const Frame& frame) {
    const auto header = encodeHeader(frame);
    return std::string(header.begin(), header.end()) + frame.payload;
  }
  bool write(const Frame& frame) { return writeBytes(bytesOf(frame)); }

  /// The next frame, or none when the host hangs up (or keeps silent for too long).
  std::optional<Frame> read() {
    unsigned char header[frameHeaderBytes];
    if (!readBytes(header, sizeof header)) return std::nullopt;
    Frame frame;
    frame.payload.resize(decodeHeader(header, frame));
    if (!readBytes(frame.payload.data(), frame.payload.size())) return std::nullopt;
    return frame;
  }
  /// The next frame that is no ACK.
  std::optional<Frame> readData() {
    for (;;) {
      std::optional<Frame> frame = read();
      if (!frame || frame->type != static_cast<std::uint8_t>(FrameType::ack)) return frame;
      lastAck = frame->sequence;
      ++acks;
    }
  }
  /// True when the host hangs up before it says anything but ACKs.
  bool hungUp() { return !readData() && !timedOut_; }

  static Frame control(FrameType type, std::string payload) {
    Frame frame;
    frame.type = static_cast<std::uint8_t>(type);
    frame.payload = std::move(payload);
    return frame;
  }
  static Frame data(std::uint64_t sequence, std::string payload, std::uint16_t channel = 1) {
    Frame frame;
    frame.channel = channel;
    frame.type = static_cast<std::uint8_t>(FrameType::output);
    frame.outcome = 1;
    frame.sequence = sequence;
    frame.payload = std::move(payload);
    return frame;
  }
  static Frame ack(std::uint64_t sequence) {
    Frame frame;
    frame.type = static_cast<std::uint8_t>(FrameType::ack);
    frame.sequence = sequence;
    return frame;
  }

  bool hello(const std::string& session, std::uint64_t received) {
    nonce_ = randomHex();
    return write(control(
        FrameType::hello,
        boost::json::serialize(boost::json::object{
            {"protocol", 1}, {"session", session}, {"nonce", nonce_}, {"received", received}})));
  }
  /// The whole handshake; what the host has received, or none with `refusal` filled.
  std::optional<std::uint64_t> shake(const LinkFile& file, std::uint64_t received) {
    if (!hello(file.session, received)) return std::nullopt;
    std::optional<Frame> frame = read();
    if (!frame) return std::nullopt;
    boost::json::object object = boost::json::parse(frame->payload).as_object();
    if (frame->type != static_cast<std::uint8_t>(FrameType::challenge)) {
      refusal = object["reason"].as_string().c_str();
      return std::nullopt;
    }
    const std::string hostNonce = object["nonce"].as_string().c_str();
    hostProved = object["proof"].as_string() == linkProof(file.secret, "host", nonce_, hostNonce);
    write(control(FrameType::proof,
                  boost::json::serialize(boost::json::object{
                      {"proof", linkProof(file.secret, "driver", nonce_, hostNonce)}})));
    frame = read();
    if (!frame) return std::nullopt;
    object = boost::json::parse(frame->payload).as_object();
    if (frame->type != static_cast<std::uint8_t>(FrameType::welcome)) {
      refusal = object["reason"].as_string().c_str();
      return std::nullopt;
    }
    return object["received"].to_number<std::uint64_t>();
  }

  std::string refusal;
  bool hostProved = false;
  std::uint64_t lastAck = 0;
  int acks = 0;

 private:
  bool readBytes(void* to, std::size_t size) {
    auto* at = static_cast<char*>(to);
    while (size > 0) {
      if (tls_ != nullptr) {
        const int part = SSL_read(tls_, at, static_cast<int>(std::min<std::size_t>(size, 1 << 20)));
        if (part <= 0) {
          timedOut_ = errno == EAGAIN;
          return false;
        }
        at += part;
        size -= static_cast<std::size_t>(part);
        continue;
      }
      pollfd wait{fd_, POLLIN, 0};
      if (::poll(&wait, 1, 20000) != 1) {
        timedOut_ = true;
        return false;
      }
      const ssize_t part = ::recv(fd_, at, size, 0);
      if (part <= 0) return false;
      at += part;
      size -= static_cast<std::size_t>(part);
    }
    return true;
  }

  int fd_ = -1;
  SSL* tls_ = nullptr;
  bool connected_ = false;
  bool timedOut_ = false;
  std::string nonce_;
};

}  // namespace hearth::test
