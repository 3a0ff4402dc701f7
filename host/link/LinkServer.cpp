#include "link/LinkServer.h"

#include <charconv>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "link/Handshake.h"
#include "link/LinkCertificate.h"
#include "link/LinkCore.h"
#include "link/LinkListener.h"
#include "link/LinkRegistry.h"
#include "link/UnixDoor.h"
#include "submit/PrivateFile.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

std::uint16_t keptPort(const std::string& path) {
  std::string text;
  std::ifstream file(path);
  std::uint16_t port = 0;
  if (std::getline(file, text)) std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

}  // namespace

class LinkServer::Impl {
 public:
  Impl(EventLoop& loop, LinkOptions options)
      : loop_(loop),
        options_(std::move(options)),
        folder_(options_.socket.substr(0, options_.socket.rfind('/'))),
        local_(std::make_shared<LinkListener>(loop, openUnixDoor(loop, options_.socket), registry_,
                                              options_.handshakeTime)) {
    // Drivers of an earlier run may dial there.
    if (options_.openTls || keptPort(portFile()) != 0) network();
  }

  void start() {
    local_->start();
    const std::lock_guard<std::mutex> lock(mutex_);
    started_ = true;
    if (tls_) tls_->start();
  }

  void stop() {
    local_->stop();
    std::shared_ptr<LinkListener> tls;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      tls = tls_;
    }
    if (tls) tls->stop();
  }

  LinkRegistry& registry() { return *registry_; }

  /// What the link file of a session says.
  LinkFile fileFor(const std::string& session, std::string secret, Reach reach) {
    LinkFile file;
    file.session = session;
    file.secret = std::move(secret);
    file.orphanSeconds = options_.orphanTime.count();
    if (reach == Reach::local) {
      file.endpoint = local_->endpoint();
    } else {
      file.endpoint = network()->endpoint();
      file.pin = certificate_.pin;
    }
    return file;
  }

 private:
  std::string portFile() const { return folder_ + "/link.port"; }

  /// Opens it at the first call. certificate_ is there, and stays, once it has returned.
  std::shared_ptr<LinkListener> network() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (tls_) return tls_;
    TlsDoorOptions where = options_.tls;
    const std::uint16_t kept = keptPort(portFile());
    if (where.port == 0) {
      where.port = kept;
      where.portMayChange = true;
    }
    certificate_ = LinkCertificate::keptIn(folder_ + "/link.pem");
    std::uint16_t port = 0;
    std::unique_ptr<LinkDoor> door = openTlsDoor(loop_, certificate_, where, port);
    if (port != kept) submit::writePrivateFile(portFile(), std::to_string(port) + "\n");
    tls_ =
        std::make_shared<LinkListener>(loop_, std::move(door), registry_, options_.handshakeTime);
    if (started_) tls_->start();
    log().info("drivers on other machines dial {}", tls_->endpoint());
    return tls_;
  }

  EventLoop& loop_;
  const LinkOptions options_;
  const std::string folder_;
  const std::shared_ptr<LinkRegistry> registry_ = std::make_shared<LinkRegistry>();
  const std::shared_ptr<LinkListener> local_;
  std::mutex mutex_;
  bool started_ = false;
  LinkCertificate certificate_;
  std::shared_ptr<LinkListener> tls_;
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
    if (const std::shared_ptr<Impl> server = server_.lock())
      server->registry().forget(session_, core_.get());
  }

  bool send(Frame frame) override { return core_->send(std::move(frame)); }
  void received(std::uint64_t sequence) override { core_->received(sequence); }
  bool connected() const override { return core_->connected(); }
  void admit() override { core_->admit(); }
  const std::string& linkFile() const override { return file_; }

 private:
  const std::weak_ptr<Impl> server_;
  const std::string session_;
  const std::shared_ptr<LinkCore> core_;
  const std::string file_;
};

LinkServer::LinkServer(EventLoop& loop, LinkOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}

void LinkServer::start() {
  impl_->start();
}

void LinkServer::leave() {
  impl_->registry().leave();
}

LinkServer::~LinkServer() {
  impl_->stop();
}

std::shared_ptr<Link> LinkServer::offer(const std::string& session, const std::string& folder,
                                        EventLoop::Strand strand, Link::Events events,
                                        Reach reach) {
  return make(session, folder, randomHex(), std::move(strand), std::move(events), reach, false);
}

std::shared_ptr<Link> LinkServer::resume(const std::string& session, const std::string& folder,
                                         EventLoop::Strand strand, Link::Events events) {
  const LinkFile file = readLinkFile(folder + "/link.json");
  if (file.session != session)
    throw std::runtime_error(folder + "/link.json is of session " + file.session);
  const Reach reach = file.endpoint.rfind("tls:", 0) == 0 ? Reach::network : Reach::local;
  return make(session, folder, file.secret, std::move(strand), std::move(events), reach, true);
}

std::shared_ptr<Link> LinkServer::make(const std::string& session, const std::string& folder,
                                       std::string secret, EventLoop::Strand strand,
                                       Link::Events events, Reach reach, bool takenUp) {
  const std::string path = folder + "/link.json";
  auto core = std::make_shared<LinkCore>(secret, std::move(strand), std::move(events), takenUp);
  impl_->registry().enter(session, core);
  // From here on the link is closed and forgotten if the file cannot be written.
  auto link = std::make_shared<Held>(impl_, session, core, path);
  writeLinkFile(path, impl_->fileFor(session, std::move(secret), reach));
  return link;
}

}  // namespace hearth::host
