#include "http/transport_support.h"

#include <Poco/DeflatingStream.h>
#include <Poco/InflatingStream.h>
#include <Poco/String.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace hearth::test {

namespace {

using Clock = std::chrono::steady_clock;

bool ready(int socket, short events, Clock::time_point until) {
  const auto left = std::chrono::duration_cast<Milliseconds>(until - Clock::now()).count();
  pollfd state{socket, events, 0};
  return ::poll(&state, 1, static_cast<int>(std::max<long>(0, left))) > 0;
}

}  // namespace

bool eventually(const std::function<bool()>& condition, Milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (!condition()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

std::string Reply::header(const std::string& lowerName) const {
  const auto found = headers.find(lowerName);
  return found == headers.end() ? "" : found->second;
}

Client::Client(std::uint16_t port, int receiveBuffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (socket_ < 0) throw std::runtime_error("no socket");
  if (receiveBuffer)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof receiveBuffer);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("cannot connect");
  }
  ::fcntl(socket_, F_SETFL, O_NONBLOCK);
}

Client::Client(Client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), buffer_(std::move(other.buffer_)) {}

Client::~Client() {
  close();
}

void Client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Client::reset() {
  const linger hard{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

void Client::endSending() {
  ::shutdown(socket_, SHUT_WR);
}

bool Client::send(const std::string& bytes, Milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t size = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (size > 0)
      at += static_cast<std::size_t>(size);
    else if (errno != EAGAIN || !ready(socket_, POLLOUT, until))
      return false;
  }
  return true;
}

bool Client::fill(Clock::time_point until) {
  if (!ready(socket_, POLLIN, until)) return false;
  char piece[65536];
  const ssize_t size = ::recv(socket_, piece, sizeof piece, 0);
  if (size <= 0) return false;
  buffer_.append(piece, static_cast<std::size_t>(size));
  return true;
}

Reply Client::read(bool toHead, Milliseconds patience) {
  const auto until = Clock::now() + patience;
  Reply reply;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill(until)) return reply;
  reply.head = buffer_.substr(0, end + 4);
  std::istringstream lines(reply.head);
  std::string line;
  std::getline(lines, line);
  if (line.rfind("HTTP/1.1 ", 0) != 0) return reply;
  const int status = std::stoi(line.substr(9, 3));
  while (std::getline(lines, line) && line.size() > 1) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) return reply;
    reply.headers[Poco::toLower(line.substr(0, colon))] = Poco::trim(line.substr(colon + 1));
  }
  const bool bodiless = toHead || status == 100 || status == 204 || status == 304;
  const std::size_t length = bodiless || reply.header("content-length").empty()
                                 ? 0
                                 : std::stoull(reply.header("content-length"));
  while (buffer_.size() < end + 4 + length)
    if (!fill(until)) return reply;
  reply.body = buffer_.substr(end + 4, length);
  buffer_.erase(0, end + 4 + length);
  reply.status = status;
  return reply;
}

bool Client::closedByServer(Milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (ready(socket_, POLLIN, until)) {
    char piece[65536];
    const ssize_t size = ::recv(socket_, piece, sizeof piece, 0);
    if (size == 0 || (size < 0 && errno != EAGAIN)) return true;
  }
  return false;
}

std::string Client::available(Milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (fill(until)) {
  }
  return std::exchange(buffer_, std::string());
}

void Shelf::put(host::ExchangePtr exchange) {
  const std::lock_guard lock(mutex_);
  exchanges_.push_back(std::move(exchange));
  put_.notify_all();
}

host::ExchangePtr Shelf::take() {
  std::unique_lock lock(mutex_);
  if (!put_.wait_for(lock, kPatience, [this] { return !exchanges_.empty(); })) return nullptr;
  host::ExchangePtr first = std::move(exchanges_.front());
  exchanges_.erase(exchanges_.begin());
  return first;
}

std::size_t Shelf::size() const {
  const std::lock_guard lock(mutex_);
  return exchanges_.size();
}

std::vector<host::ExchangePtr> Shelf::takeAll() {
  const std::lock_guard lock(mutex_);
  return std::move(exchanges_);
}

TestServer::TestServer(host::HttpLimits limits, Handler handler, unsigned threads) {
  host::HttpOptions options;
  options.port = 0;
  options.threads = threads;
  options.limits = limits;
  if (!handler)
    handler = [](const host::ExchangePtr& exchange) {
      const host::Request& request = exchange->request();
      exchange->send(text(200, request.method + ' ' + request.path + '\n' + request.body));
    };
  server = std::make_unique<host::HttpServer>(
      options,
      [this, handler](const host::ExchangePtr& exchange) {
        if (exchange->request().path == "/hold")
          shelf.put(exchange);
        else
          handler(exchange);
      },
      [](int status, const std::string& path, const std::string& message) {
        return host::Response::json(status,
                                    "{\"path\":\"" + path + "\",\"msg\":\"" + message + "\"}");
      },
      [this](const host::Request& request, int status, std::size_t bytes,
             std::chrono::microseconds) {
        const std::lock_guard lock(mutex_);
        accesses_.push_back({request.method, request.path, status, bytes});
      });
  server->start();
}

Reply TestServer::once(const std::string& bytes) const {
  Client one = client();
  return one.exchange(bytes);
}

std::vector<Access> TestServer::accesses() const {
  const std::lock_guard lock(mutex_);
  return accesses_;
}

bool TestServer::becomesEmpty(Milliseconds patience) const {
  return eventually([this] { return server->openConnections() == 0; }, patience);
}

std::string get(const std::string& path, const std::string& moreHeaders) {
  return "GET " + path + " HTTP/1.1\r\nHost: test\r\n" + moreHeaders + "\r\n";
}

std::string post(const std::string& path, const std::string& body, const std::string& moreHeaders) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         moreHeaders + "\r\n" + body;
}

host::Response text(int status, std::string body) {
  host::Response response;
  response.status = status;
  response.contentType = "text/plain;charset=utf-8";
  response.body = std::move(body);
  return response;
}

std::string gzipped(const std::string& plain) {
  std::ostringstream out;
  Poco::DeflatingOutputStream deflater(out, Poco::DeflatingStreamBuf::STREAM_GZIP);
  deflater.write(plain.data(), static_cast<std::streamsize>(plain.size()));
  deflater.close();
  return out.str();
}

std::string gunzipped(const std::string& packed) {
  std::istringstream in(packed);
  Poco::InflatingInputStream inflater(in, Poco::InflatingStreamBuf::STREAM_GZIP);
  return std::string(std::istreambuf_iterator<char>(inflater), {});
}

std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = 42;
  for (std::size_t at = 0; at < size; at += sizeof state) {
    state ^= state << 13;  // xorshift: quick also where nothing is optimised
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(&bytes[at], &state, std::min(sizeof state, size - at));
  }
  return bytes;
}

}  // namespace hearth::test
