#include "link/UnixDoor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;
using Protocol = asio::local::stream_protocol;

void closeOnExec(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// True for a peer that runs as this user or as root.
bool peerIsOurs(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

/// Removes the socket that a host which has ended left behind; throws when one still listens there.
void clearPath(asio::io_context& context, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode))
    throw std::runtime_error("cannot listen on " + path + ": there is a file that is no socket");
  Protocol::socket probe(context);
  Error error;
  probe.connect(Protocol::endpoint(path), error);
  if (!error) throw std::runtime_error("cannot listen on " + path + ": another host does");
  ::unlink(path.c_str());
}

class UnixStream final : public LinkStream {
 public:
  UnixStream(Protocol::socket socket, EventLoop::Strand strand)
      : socket_(std::move(socket)), strand_(std::move(strand)) {}

  void open(std::function<void(const Error&)> done) override {
    asio::post(strand_, [done = std::move(done)] { done(Error()); });
  }
  void read(asio::mutable_buffer room, Done done) override {
    socket_.async_read_some(room, asio::bind_executor(strand_, std::move(done)));
  }
  void write(std::vector<asio::const_buffer> bytes, Done done) override {
    asio::async_write(socket_, std::move(bytes), asio::bind_executor(strand_, std::move(done)));
  }
  void close() override {
    Error ignored;
    socket_.close(ignored);
  }

 private:
  Protocol::socket socket_;
  const EventLoop::Strand strand_;
};

class UnixDoor final : public LinkDoor {
 public:
  UnixDoor(EventLoop& loop, const std::string& path) : path_(path), acceptor_(loop.context()) {
    if (path.size() >= sizeof(sockaddr_un::sun_path))
      throw std::runtime_error("cannot listen on " + path + ": the path is longer than " +
                               std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
    clearPath(loop.context(), path);
    try {
      acceptor_.open();
      closeOnExec(acceptor_.native_handle());
      acceptor_.bind(Protocol::endpoint(path));
      // Nobody can connect before listen(), so the mode is never open to others.
      if (::chmod(path.c_str(), 0600) != 0) throw std::system_error(errno, std::system_category());
      acceptor_.listen(asio::socket_base::max_listen_connections);
    } catch (const std::system_error& error) {
      throw std::runtime_error("cannot listen on " + path + ": " + error.code().message());
    }
  }
  ~UnixDoor() override { close(); }
  UnixDoor(const UnixDoor&) = delete;
  UnixDoor& operator=(const UnixDoor&) = delete;

  void accept(const EventLoop::Strand& strand, Accepted done) override {
    acceptor_.async_accept(
        strand, [strand, done = std::move(done)](const Error& error, Protocol::socket socket) {
          if (error) return done(error, nullptr);
          closeOnExec(socket.native_handle());
          if (peerIsOurs(socket.native_handle()))
            return done(error, std::make_unique<UnixStream>(std::move(socket), strand));
          log().warn("a process of another user connected to the link's socket");
          done(error, nullptr);
        });
  }
  void close() override {
    if (!acceptor_.is_open()) return;
    Error ignored;
    acceptor_.close(ignored);
    ::unlink(path_.c_str());
  }
  std::string endpoint() const override { return "unix:" + path_; }

 private:
  const std::string path_;
  Protocol::acceptor acceptor_;
};

}  // namespace

std::unique_ptr<LinkDoor> openUnixDoor(EventLoop& loop, const std::string& path) {
  return std::make_unique<UnixDoor>(loop, path);
}

}  // namespace hearth::host
