#include "Connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cerrno>
#include <fstream>
#include <hearth/plugin.hpp>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "Wire.h"

namespace hearth::jupyter {

namespace {

constexpr std::size_t maxSocketPath = 100;  // sun_path has 108, with its NUL and our suffix
constexpr std::array<const char*, channelCount> portNames{"shell_port", "iopub_port", "stdin_port",
                                                          "control_port", "hb_port"};

std::string reason() {
  return std::system_category().message(errno);
}

class Socket {
 public:
  /// Bound to a loopback port, 0: any. open() is false where it could not be.
  explicit Socket(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) return;
    // As ZeroMQ binds: what has just been closed is free.
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address = loopback(port);
    bound_ = ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(Socket&& other) noexcept : fd_(other.fd_), bound_(other.bound_) { other.fd_ = -1; }
  Socket& operator=(Socket&&) = delete;

  bool open() const noexcept { return bound_; }
  int port() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
    return ntohs(address.sin_port);
  }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  int fd_;
  bool bound_ = false;
};

void writePrivate(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw std::runtime_error("cannot write " + path + ": " + reason());
  const auto written = ::write(fd, text.data(), text.size());
  const std::string why = reason();
  ::close(fd);
  if (written == static_cast<ssize_t>(text.size())) return;
  ::unlink(path.c_str());
  throw std::runtime_error("cannot write " + path + ": " + why);
}

}  // namespace

Ports::Numbers Ports::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Numbers numbers{};
  std::size_t count = 0;
  std::vector<Socket> held;  // until all are found, so that no number comes twice
  for (int tries = 0; count < numbers.size(); ++tries) {
    held.emplace_back(0);
    const int port = held.back().open() ? held.back().port() : 0;
    if (port == 0 || tries > 1000)
      throw std::runtime_error("no free port for a kernel: " + reason());
    if (taken_.insert(port).second) numbers[count++] = port;
  }
  return numbers;
}

void Ports::hold(const Numbers& ports) {
  const std::lock_guard<std::mutex> lock(mutex_);
  taken_.insert(ports.begin(), ports.end());
}

void Ports::giveBack(const Numbers& ports) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const int port : ports) taken_.erase(port);
}

bool Ports::free(const Numbers& ports) {
  for (const int port : ports)
    if (!Socket(port).open()) return false;
  return true;
}

Connection::Connection(Ports& ports, const std::string& folder, const std::string& name,
                       Transport transport, const std::string& kernelName)
    : ports_(ports),
      transport_(transport),
      base_(folder + "/" + name),
      file_(base_ + ".json"),
      key_(randomHex(32)),
      ip_(base_) {
  if (transport_ == Transport::ipc && ip_.size() > maxSocketPath) transport_ = Transport::tcp;
  if (transport_ == Transport::tcp) {
    ip_ = "127.0.0.1";
    numbers_ = ports_.take();
  } else {
    for (int i = 0; i < channelCount; ++i) numbers_[static_cast<std::size_t>(i)] = i + 1;
  }
  std::string text = "{";
  for (std::size_t i = 0; i < portNames.size(); ++i)
    text += hearth::quoted(portNames[i]) + ":" + std::to_string(numbers_[i]) + ",";
  text += "\"transport\":\"";
  text += transport_ == Transport::ipc ? "ipc" : "tcp";
  text += "\",\"ip\":" + hearth::quoted(ip_) + ",\"key\":" + hearth::quoted(key_) +
          ",\"signature_scheme\":\"hmac-sha256\",\"kernel_name\":" + hearth::quoted(kernelName) +
          "}\n";
  try {
    openLock();
    writePrivate(file_, text);
  } catch (...) {
    if (lockFd_ >= 0) ::close(lockFd_);
    ::unlink(lockFile().c_str());
    if (transport_ == Transport::tcp) ports_.giveBack(numbers_);
    throw;
  }
}

Connection::Connection(Ports& ports, const std::string& file)
    : ports_(ports),
      transport_(Transport::ipc),
      base_(file.substr(0, file.rfind(".json"))),
      file_(file) {
  std::ifstream stream(file_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) throw std::runtime_error("the connection file " + file_ + " cannot be read");
  try {
    const boost::json::value parsed = boost::json::parse(text);
    const boost::json::object& object = parsed.as_object();
    const auto member = [&](const char* name) {
      return std::string(object.at(name).as_string().c_str());
    };
    if (member("transport") == "tcp") transport_ = Transport::tcp;
    ip_ = member("ip");
    key_ = member("key");
    for (std::size_t i = 0; i < portNames.size(); ++i)
      numbers_[i] = object.at(portNames[i]).to_number<int>();
  } catch (const std::exception& error) {
    throw std::runtime_error("the connection file " + file_ + " is damaged: " + error.what());
  }
  openLock();
  if (transport_ == Transport::tcp) ports_.hold(numbers_);
}

Connection::~Connection() {
  if (transport_ == Transport::tcp) ports_.giveBack(numbers_);
  if (!kept_) {
    ::unlink(file_.c_str());
    ::unlink(lockFile().c_str());
  }
  ::close(lockFd_);
  if (transport_ == Transport::tcp || kept_) return;
  for (const int number : numbers_) ::unlink((ip_ + "-" + std::to_string(number)).c_str());
}

bool Connection::exists(const std::string& folder, const std::string& name) {
  for (const char* end : {".json", ".lock"})
    if (::access((folder + "/" + name + end).c_str(), F_OK) == 0) return true;
  return false;
}

void Connection::openLock() {
  lockFd_ = ::open(lockFile().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lockFd_ < 0) throw std::runtime_error("cannot open " + lockFile() + ": " + reason());
  lock();
}

bool Connection::lock() {
  locked_ = locked_ || ::flock(lockFd_, LOCK_EX | LOCK_NB) == 0;
  return locked_;
}

std::string Connection::endpoint(Channel channel) const {
  const std::string number = std::to_string(numbers_[static_cast<std::size_t>(channel)]);
  return transport_ == Transport::ipc ? "ipc://" + ip_ + "-" + number
                                      : "tcp://" + ip_ + ":" + number;
}

bool Connection::portsLost() const {
  return transport_ == Transport::tcp && !Ports::free(numbers_);
}

}  // namespace hearth::jupyter
