#include "link/LinkServer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "link/Handshake.h"
#include "link/LinkConnection.h"
#include "link/LinkCore.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;
using Protocol = asio::local::stream_protocol;

/// Connections in their handshake at once; further ones wait in the socket's backlog.
constexpr std::size_t maxUnsettled = 64;
/// Pause after an accept() that failed, mostly for want of descriptors.
constexpr std::chrono::milliseconds acceptPause{100};

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

}  // namespace

class LinkServer::Impl final : public LinkConnection::Owner,
                               public std::enable_shared_from_this<LinkServer::Impl> {
 public:
  Impl(EventLoop& loop, LinkOptions options)
      : loop_(loop),
        options_(std::move(options)),
        acceptor_(loop.context()),
        pause_(loop.context()) {
    if (options_.socket.size() >= sizeof(sockaddr_un::sun_path))
      throw std::runtime_error("cannot listen on " + options_.socket +
                               ": the path is longer than " +
                               std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
    clearPath(loop.context(), options_.socket);
    try {
      acceptor_.open();
      closeOnExec(acceptor_.native_handle());
      acceptor_.bind(Protocol::endpoint(options_.socket));
      // Nobody can connect before listen(), so the mode is never open to others.
      if (::chmod(options_.socket.c_str(), 0600) != 0)
        throw std::system_error(errno, std::system_category());
      acceptor_.listen(asio::socket_base::max_listen_connections);
    } catch (const std::system_error& error) {
      throw std::runtime_error("cannot listen on " + options_.socket + ": " +
                               error.code().message());
    }
  }

  void acceptNext() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_ || accepting_ || unsettled_ >= maxUnsettled) return;
    accepting_ = true;
    const EventLoop::Strand strand = loop_.strand();
    acceptor_.async_accept(
        strand, [self = shared_from_this(), strand](const Error& error, Protocol::socket socket) {
          self->accepted(error, std::move(socket), strand);
        });
  }

  void stop() {
    std::vector<std::shared_ptr<LinkConnection>> open;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
      Error ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      ::unlink(options_.socket.c_str());
      for (const auto& [key, connection] : connections_) open.push_back(connection);
    }
    for (const std::shared_ptr<LinkConnection>& connection : open) connection->hangUp();
  }

  std::shared_ptr<LinkCore> find(const std::string& session) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = cores_.find(session);
    return found == cores_.end() ? nullptr : found->second.lock();
  }

  void settled() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      --unsettled_;
    }
    acceptNext();
  }

  void ended(LinkConnection* connection) override {
    std::shared_ptr<LinkConnection> last;  // released after the mutex
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = connections_.find(connection);
    if (found == connections_.end()) return;
    last = std::move(found->second);
    connections_.erase(found);
  }

  /// Throws for a session that has one.
  void enter(const std::string& session, const std::shared_ptr<LinkCore>& core) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::weak_ptr<LinkCore>& entry = cores_[session];
    if (!entry.expired()) throw std::logic_error("session " + session + " has a link already");
    entry = core;
  }

  void forget(const std::string& session, const LinkCore* core) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = cores_.find(session);
    if (found == cores_.end()) return;
    const std::shared_ptr<LinkCore> entered = found->second.lock();
    if (!entered || entered.get() == core) cores_.erase(found);
  }

  std::string endpoint() const { return "unix:" + options_.socket; }
  std::int64_t orphanSeconds() const { return options_.orphanTime.count(); }

 private:
  void accepted(const Error& error, Protocol::socket socket, const EventLoop::Strand& strand) {
    std::shared_ptr<LinkConnection> connection;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      accepting_ = false;
      if (stopped_) return;
      if (error) {
        log().warn("cannot accept a driver's connection: {}", error.message());
        pause_.expires_after(acceptPause);
        pause_.async_wait([self = shared_from_this()](const Error&) { self->acceptNext(); });
        return;
      }
      closeOnExec(socket.native_handle());
      if (peerIsOurs(socket.native_handle())) {
        connection = std::make_shared<LinkConnection>(std::move(socket), strand, weak_from_this());
        connections_[connection.get()] = connection;
        ++unsettled_;
      } else {
        log().warn("a process of another user connected to the link's socket");
      }
    }
    if (connection) connection->start(options_.handshakeTime);
    acceptNext();
  }

  EventLoop& loop_;
  const LinkOptions options_;
  std::mutex mutex_;
  Protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  bool accepting_ = false;
  bool stopped_ = false;
  std::size_t unsettled_ = 0;
  std::map<std::string, std::weak_ptr<LinkCore>> cores_;
  std::unordered_map<LinkConnection*, std::shared_ptr<LinkConnection>> connections_;
};

/// The Link in the hands of a session.
class LinkServer::Held final : public Link {
 public:
  Held(std::weak_ptr<Impl> server, std::string session, std::shared_ptr<LinkCore> core,
       std::string file)
      : server_(std::move(server)),
        session_(std::move(session)),
        core_(std::move(core)),
        file_(std::move(file)) {}

  ~Held() override {
    core_->close();
    if (const std::shared_ptr<Impl> server = server_.lock()) server->forget(session_, core_.get());
  }

  bool send(Frame frame) override { return core_->send(std::move(frame)); }
  void received(std::uint64_t sequence) override { core_->received(sequence); }
  bool connected() const override { return core_->connected(); }
  const std::string& linkFile() const override { return file_; }

 private:
  const std::weak_ptr<Impl> server_;
  const std::string session_;
  const std::shared_ptr<LinkCore> core_;
  const std::string file_;
};

LinkServer::LinkServer(EventLoop& loop, LinkOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {
  impl_->acceptNext();
}

LinkServer::~LinkServer() {
  impl_->stop();
}

std::shared_ptr<Link> LinkServer::offer(const std::string& session, const std::string& folder,
                                        EventLoop::Strand strand, Link::Events events) {
  return make(session, folder, randomHex(), std::move(strand), std::move(events), false);
}

std::shared_ptr<Link> LinkServer::resume(const std::string& session, const std::string& folder,
                                         EventLoop::Strand strand, Link::Events events) {
  const LinkFile file = readLinkFile(folder + "/link.json");
  if (file.session != session)
    throw std::runtime_error(folder + "/link.json is of session " + file.session);
  return make(session, folder, file.secret, std::move(strand), std::move(events), true);
}

std::shared_ptr<Link> LinkServer::make(const std::string& session, const std::string& folder,
                                       std::string secret, EventLoop::Strand strand,
                                       Link::Events events, bool takenUp) {
  const std::string path = folder + "/link.json";
  auto core = std::make_shared<LinkCore>(secret, std::move(strand), std::move(events), takenUp);
  impl_->enter(session, core);
  // From here on the link is closed and forgotten if the file cannot be written.
  auto link = std::make_shared<Held>(impl_, session, core, path);
  writeLinkFile(path, {session, impl_->endpoint(), std::move(secret), impl_->orphanSeconds()});
  return link;
}

}  // namespace hearth::host
