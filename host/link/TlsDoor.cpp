#include "link/TlsDoor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using Error = boost::system::error_code;
using tcp = asio::ip::tcp;

// A machine that vanished without a word is found out within a minute or so.
constexpr int keepIdleSeconds = 30;
constexpr int keepIntervalSeconds = 10;
constexpr int keepProbes = 3;
constexpr unsigned unackedMillis = 60000;

template <typename Value>
void setTcp(int fd, int option, Value value) {
  ::setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value);
}

void prepare(tcp::socket& socket) {
  Error ignored;
  const int fd = socket.native_handle();
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  setTcp(fd, TCP_KEEPIDLE, keepIdleSeconds);
  setTcp(fd, TCP_KEEPINTVL, keepIntervalSeconds);
  setTcp(fd, TCP_KEEPCNT, keepProbes);
  setTcp(fd, TCP_USER_TIMEOUT, unackedMillis);
}

class TlsStream final : public LinkStream {
 public:
  TlsStream(tcp::socket socket, std::shared_ptr<ssl::context> context, EventLoop::Strand strand)
      : context_(std::move(context)),
        stream_(std::move(socket), *context_),
        strand_(std::move(strand)) {}

  void open(std::function<void(const Error&)> done) override {
    stream_.async_handshake(ssl::stream_base::server,
                            asio::bind_executor(strand_, std::move(done)));
  }
  void read(asio::mutable_buffer room, Done done) override {
    stream_.async_read_some(room, asio::bind_executor(strand_, std::move(done)));
  }
  void write(std::vector<asio::const_buffer> bytes, Done done) override {
    asio::async_write(stream_, std::move(bytes), asio::bind_executor(strand_, std::move(done)));
  }
  // Without TLS's own goodbye, which would have to be waited for: frames have their ACKs, and a
  // driver takes the end of the connection for no more than that.
  void close() override {
    Error ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  const std::shared_ptr<ssl::context> context_;
  ssl::stream<tcp::socket> stream_;
  const EventLoop::Strand strand_;
};

std::shared_ptr<ssl::context> contextFor(const LinkCertificate& certificate) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                       ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 |
                       ssl::context::no_compression);
  SSL_CTX* const native = context->native_handle();
  // A connection is dialled once and lives long: nothing to resume, nothing to keep.
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  context->use_certificate(asio::buffer(certificate.pem), ssl::context::pem);
  context->use_private_key(asio::buffer(certificate.pem), ssl::context::pem);
  return context;
}

std::string nameToDial(const TlsDoorOptions& options, const asio::ip::address& address) {
  if (!options.advertise.empty()) return options.advertise;
  if (!address.is_unspecified()) return options.host;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
    throw std::runtime_error("this machine has no name for drivers to dial: set link.advertise");
  return name.data();
}

class TlsDoor final : public LinkDoor {
 public:
  TlsDoor(EventLoop& loop, const LinkCertificate& certificate, const TlsDoorOptions& options)
      : context_(contextFor(certificate)), acceptor_(loop.context()) {
    const std::string where = options.host + ":" + std::to_string(options.port);
    Error error;
    tcp::resolver resolver(loop.context());
    const auto found =
        resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, error);
    if (error || found.empty())
      throw std::runtime_error("the driver link cannot listen on " + where + ": " +
                               error.message());
    tcp::endpoint endpoint = *found.begin();
    error = listen(endpoint);
    if (error == asio::error::address_in_use && options.portMayChange) {
      log().warn("port {} of the driver link is in use, another one is taken", options.port);
      endpoint.port(0);
      error = listen(endpoint);
    }
    if (error)
      throw std::runtime_error("the driver link cannot listen on " + where + ": " +
                               error.message());
    port_ = acceptor_.local_endpoint().port();
    std::string name = nameToDial(options, endpoint.address());
    if (name.find(':') != std::string::npos && name[0] != '[') name = "[" + name + "]";
    endpoint_ = "tls:" + name + ":" + std::to_string(port_);
  }
  ~TlsDoor() override { TlsDoor::close(); }
  TlsDoor(const TlsDoor&) = delete;
  TlsDoor& operator=(const TlsDoor&) = delete;

  void accept(const EventLoop::Strand& strand, Accepted done) override {
    acceptor_.async_accept(strand, [context = context_, strand, done = std::move(done)](
                                       const Error& error, tcp::socket socket) {
      if (error) return done(error, nullptr);
      prepare(socket);
      done(error, std::make_unique<TlsStream>(std::move(socket), context, strand));
    });
  }
  void close() override {
    Error ignored;
    acceptor_.close(ignored);
  }
  std::string endpoint() const override { return endpoint_; }
  std::uint16_t port() const { return port_; }

 private:
  Error listen(const tcp::endpoint& endpoint) {
    Error error;
    acceptor_.close(error);
    acceptor_.open(endpoint.protocol(), error);
    if (error) return error;
    ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
    // Connections of an earlier run that linger do not keep the port.
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    return error;
  }

  const std::shared_ptr<ssl::context> context_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::string endpoint_;
};

}  // namespace

std::unique_ptr<LinkDoor> openTlsDoor(EventLoop& loop, const LinkCertificate& certificate,
                                      const TlsDoorOptions& options, std::uint16_t& port) {
  auto door = std::make_unique<TlsDoor>(loop, certificate, options);
  port = door->port();
  return door;
}

}  // namespace hearth::host
